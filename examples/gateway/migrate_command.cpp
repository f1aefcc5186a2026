/// Migrations by hand.
#include "migrate_command.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "store/migrations.hpp"

namespace gateway {
namespace {

int fail(const llmroute::Error& error) {
  fmt::print(stderr, "llmroute-gateway: {}\n", error.message);
  return 1;
}

int print_states(Database& database) {
  const auto states = migration_states(database);
  if (!states) return fail(states.error());
  for (const MigrationState& state : *states) {
    fmt::print("{:>3}  {:<12} {}\n", state.version, state.name,
               state.applied_at ? "since " + to_text(*state.applied_at) : "to be done");
  }
  return 0;
}

int up(Database& database) {
  const auto steps = migrate_up(database);
  if (!steps) return fail(steps.error());
  fmt::print("{} done, the store is at version {}\n", *steps, migrations().size());
  return 0;
}

int down(Database& database) {
  const auto version = migrate_down(database);
  if (!version) return fail(version.error());
  if (*version == 0) {
    fmt::print("there is nothing to undo\n");
  } else {
    fmt::print("version {} undone, the store is at version {}\n", *version, *version - 1);
  }
  return 0;
}

}  // namespace

int migrate_command(const Options& options, const std::string& what) {
  const Holding holding = what == "status" ? Holding::beside : Holding::alone;
  auto database = open_database(options.store.database_url, holding);
  if (!database) return fail(database.error());
  if (what == "up") return up(**database);
  if (what == "down") return down(**database);
  return print_states(**database);
}

}  // namespace gateway

/// The steps, and the table that says which were taken.
#include "migrations.hpp"

#include <fmt/format.h>

#include <array>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

constexpr std::array<std::string_view, 2> models_up = {
    "CREATE TABLE models ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " model_id TEXT NOT NULL,"
    " active SMALLINT NOT NULL,"
    " default_params TEXT NOT NULL,"
    " reasoning_config TEXT NOT NULL,"
    " transforms TEXT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL)",
    "CREATE TABLE backends ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " model TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,"
    " url TEXT NOT NULL,"
    " weight DOUBLE PRECISION NOT NULL,"
    " active SMALLINT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL,"
    " UNIQUE (model, url))"};
constexpr std::array<std::string_view, 2> models_down = {"DROP TABLE backends",
                                                         "DROP TABLE models"};

constexpr std::array<std::string_view, 1> keys_up = {
    "CREATE TABLE api_keys ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " key_hash TEXT NOT NULL UNIQUE,"
    " key_prefix TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " allowed_models TEXT NOT NULL,"
    " rpm_limit BIGINT,"
    " tpm_limit BIGINT,"
    " expires_at BIGINT,"
    " active SMALLINT NOT NULL,"
    " created_at BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL)"};
constexpr std::array<std::string_view, 1> keys_down = {"DROP TABLE api_keys"};

constexpr std::array<std::string_view, 4> audit_up = {
    "CREATE TABLE audit_log ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " at BIGINT NOT NULL,"
    " who TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " before TEXT,"
    " after TEXT)",
    "CREATE INDEX audit_log_at ON audit_log (at)",
    "CREATE TABLE revision (id SMALLINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL)",
    "INSERT INTO revision (id, number) VALUES (1, 0)"};
constexpr std::array<std::string_view, 2> audit_down = {"DROP TABLE revision",
                                                        "DROP TABLE audit_log"};

constexpr std::array<Migration, 3> all = {Migration{1, "models", models_up, models_down},
                                          Migration{2, "keys", keys_up, keys_down},
                                          Migration{3, "audit_log", audit_up, audit_down}};

Result<void> make_version_table(Database& database) {
  const auto made = database.run(
      "CREATE TABLE IF NOT EXISTS schema_migrations ("
      " version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)");
  if (!made) return made.error();
  return {};
}

Result<void> run_all(Database& database, std::span<const std::string_view> statements) {
  for (const std::string_view statement : statements) {
    if (auto done = database.run(statement); !done) return done.error();
  }
  return {};
}

Result<void> step_up(Database& database, const Migration& step) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto done = run_all(database, step.up); !done) return done;
  const auto noted =
      database.run("INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)",
                   {std::int64_t{step.version}, std::string(step.name), now_timestamp()});
  if (!noted) return noted.error();
  return transaction->commit();
}

Result<void> step_down(Database& database, const Migration& step) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  if (auto done = run_all(database, step.down); !done) return done;
  const auto noted = database.run("DELETE FROM schema_migrations WHERE version = $1",
                                  {std::int64_t{step.version}});
  if (!noted) return noted.error();
  return transaction->commit();
}

Error too_new(std::int64_t version) {
  return {.code = ErrorCode::invalid_config,
          .message = fmt::format("the store is at version {}, this program knows {}: a later "
                                 "llmroute-gateway made it; use that one, or another "
                                 "store.database_url",
                                 version, all.size())};
}

}  // namespace

std::span<const Migration> migrations() noexcept { return all; }

Result<std::vector<MigrationState>> migration_states(Database& database) {
  if (auto made = make_version_table(database); !made) return made.error();
  auto taken = database.run("SELECT version, applied_at FROM schema_migrations ORDER BY version");
  if (!taken) return std::move(taken.error());
  std::vector<MigrationState> states;
  for (const Migration& step : all) {
    states.push_back({.version = step.version, .name = std::string(step.name)});
  }
  for (const SqlRow& row : taken->rows) {
    const std::int64_t version = std::get<std::int64_t>(row[0]);
    if (version < 1 || version > static_cast<std::int64_t>(states.size())) return too_new(version);
    states[static_cast<std::size_t>(version - 1)].applied_at = std::get<std::int64_t>(row[1]);
  }
  return states;
}

Result<int> migrate_up(Database& database) {
  auto states = migration_states(database);
  if (!states) return std::move(states.error());
  int steps = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((*states)[i].applied_at) continue;
    if (auto done = step_up(database, all[i]); !done) return done.error();
    ++steps;
  }
  return steps;
}

Result<int> migrate_down(Database& database) {
  auto states = migration_states(database);
  if (!states) return std::move(states.error());
  for (std::size_t i = all.size(); i-- > 0;) {
    if (!(*states)[i].applied_at) continue;
    if (auto done = step_down(database, all[i]); !done) return done.error();
    return all[i].version;
  }
  return 0;
}

}  // namespace gateway

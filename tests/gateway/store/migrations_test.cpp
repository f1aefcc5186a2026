/// Up, down, and what a database says of itself.
#include "gateway/store/migrations.hpp"

#include <catch2/catch.hpp>

#include "gateway/store/store.hpp"
#include "gateway/temporary_directory.hpp"

using gateway::Database;
using gateway::Holding;
using gateway::migrate_down;
using gateway::migrate_up;
using gateway::migration_states;
using gateway::migrations;

namespace {

std::unique_ptr<Database> fresh() {
  auto database = gateway::open_database("sqlite:test.db", Holding::beside);
  REQUIRE(database);
  return std::move(*database);
}

int done(Database& database) {
  const auto states = migration_states(database);
  REQUIRE(states);
  return static_cast<int>(std::count_if(states->begin(), states->end(),
                                        [](const auto& state) { return state.applied_at; }));
}

std::vector<std::string> tables(Database& database) {
  const auto found =
      database.run("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
  REQUIRE(found);
  std::vector<std::string> names;
  for (const auto& row : found->rows) names.push_back(std::get<std::string>(row[0]));
  return names;
}

}  // namespace

TEST_CASE("migrations are numbered without gaps", "[gateway][store]") {
  int version = 0;
  for (const gateway::Migration& step : migrations()) {
    CHECK(step.version == ++version);
    CHECK_FALSE(step.name.empty());
    CHECK_FALSE(step.up.empty());
    CHECK_FALSE(step.down.empty());
  }
}

TEST_CASE("up does what is to be done, once", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = fresh();
  const int all = static_cast<int>(migrations().size());
  CHECK(done(*database) == 0);
  CHECK(*migrate_up(*database) == all);
  CHECK(done(*database) == all);
  CHECK(*migrate_up(*database) == 0);
  CHECK(tables(*database) == std::vector<std::string>{"api_keys", "audit_log", "backends", "models",
                                                      "revision", "schema_migrations"});
}

TEST_CASE("down undoes step by step, and up does it again", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = fresh();
  REQUIRE(migrate_up(*database));
  const int all = static_cast<int>(migrations().size());
  for (int version = all; version > 0; --version) {
    CHECK(*migrate_down(*database) == version);
    CHECK(done(*database) == version - 1);
  }
  CHECK(*migrate_down(*database) == 0);
  CHECK(tables(*database) == std::vector<std::string>{"schema_migrations"});
  CHECK(*migrate_up(*database) == all);
}

TEST_CASE("a database of a later program is left alone", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = fresh();
  REQUIRE(migrate_up(*database));
  REQUIRE(database->run(
      "INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'later', 0)"));
  for (const auto& error : {migrate_up(*database).error(), migrate_down(*database).error(),
                            migration_states(*database).error()}) {
    CHECK(error.code == llmroute::ErrorCode::invalid_config);
    CHECK(error.message.find("version 99") != std::string::npos);
  }
  CHECK_FALSE(gateway::open_store("sqlite:test.db", Holding::beside));
}

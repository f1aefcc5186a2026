/// The engine: values, transactions, and who may have a file.
#include "gateway/store/database.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "gateway/store/file_lock.hpp"
#include "gateway/temporary_directory.hpp"

using gateway::Database;
using gateway::Holding;
using gateway::open_database;
using gateway::SqlValue;
using gateway::Transaction;
using llmroute::ErrorCode;

namespace {

std::unique_ptr<Database> opened(Holding holding = Holding::beside) {
  auto database = open_database("sqlite:test.db", holding);
  REQUIRE(database);
  return std::move(*database);
}

std::int64_t count(Database& database) {
  const auto found = database.run("SELECT COUNT(*) FROM t");
  REQUIRE(found);
  return std::get<std::int64_t>(found->rows[0][0]);
}

}  // namespace

TEST_CASE("values of every kind come back as they went", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = opened();
  REQUIRE(database->run("CREATE TABLE t (a TEXT, b BIGINT, c DOUBLE PRECISION, d TEXT)"));
  const std::string text("x'\";--\0ü", 9);
  const auto written = database->run("INSERT INTO t (a, b, c, d) VALUES ($1, $2, $3, $4)",
                                     {text, std::int64_t{1} << 60, 0.25, std::monostate{}});
  REQUIRE(written);
  CHECK(written->changed == 1);
  const auto read = database->run("SELECT a, b, c, d FROM t WHERE a = $1", {text});
  REQUIRE(read);
  REQUIRE(read->rows.size() == 1);
  CHECK(read->rows[0] == gateway::SqlRow{text, std::int64_t{1} << 60, 0.25, std::monostate{}});
  CHECK(read->changed == 0);
}

TEST_CASE("a clash of rows is told from what an engine cannot do", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = opened();
  REQUIRE(database->run("CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY)"));
  REQUIRE(database->run("INSERT INTO t (a) VALUES ($1)", {std::string("x")}));
  const auto clash = database->run("INSERT INTO t (a) VALUES ($1)", {std::string("x")});
  REQUIRE_FALSE(clash);
  CHECK(clash.error().code == ErrorCode::invalid_argument);
  const auto nonsense = database->run("SELEKT 1");
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().code == ErrorCode::internal);
  CHECK(nonsense.error().message.starts_with("test.db: "));
}

TEST_CASE("a transaction is whole or not at all", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = opened();
  REQUIRE(database->run("CREATE TABLE t (a BIGINT)"));
  {
    auto undone = Transaction::begin(*database);
    REQUIRE(undone);
    REQUIRE(database->run("INSERT INTO t (a) VALUES (1)"));
  }
  CHECK(count(*database) == 0);
  auto kept = Transaction::begin(*database);
  REQUIRE(kept);
  REQUIRE(database->run("INSERT INTO t (a) VALUES (1)"));
  REQUIRE(kept->commit());
  CHECK(count(*database) == 1);
  CHECK(count(*opened()) == 1);
}

TEST_CASE("a database with its log is for its owner alone", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  const auto database = opened();
  REQUIRE(database->run("CREATE TABLE t (a BIGINT)"));
  for (const char* path : {"test.db", "test.db-wal"}) {
    struct stat status {};
    REQUIRE(stat(path, &status) == 0);
    CHECK((status.st_mode & 0077) == 0);
  }
}

TEST_CASE("a file has one server", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  {
    const auto server = opened(Holding::alone);
    const auto second = open_database("sqlite:test.db", Holding::alone);
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("another llmroute-gateway") != std::string::npos);
    CHECK(open_database("sqlite:test.db", Holding::beside));
    CHECK(open_database("sqlite:other.db", Holding::alone));
  }
  CHECK(open_database("sqlite:test.db", Holding::alone));
}

TEST_CASE("a lock that was moved is held once", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  gateway::FileLock held;
  {
    auto lock = gateway::FileLock::take("l");
    REQUIRE(lock);
    held = std::move(*lock);
  }
  CHECK_FALSE(gateway::FileLock::take("l"));
  CHECK_FALSE(gateway::FileLock::take("nowhere/l"));
}

TEST_CASE("which database a URL means", "[gateway][store]") {
  const gateway_test::TemporaryDirectory directory;
  CHECK(open_database("sqlite:a.db", Holding::beside));
  CHECK(std::filesystem::exists("a.db"));
  CHECK(open_database("", Holding::beside));
  CHECK(std::filesystem::exists("llmroute.db"));
  CHECK(open_database("sqlite://" + (std::filesystem::current_path() / "b.db").string(),
                      Holding::beside));
  CHECK(std::filesystem::exists("b.db"));

  const auto other = open_database("mysql://user:pass@host/db", Holding::beside);
  REQUIRE_FALSE(other);
  CHECK(other.error().param == "store.database_url");
  CHECK(other.error().message.find("mysql:") != std::string::npos);
  CHECK(other.error().message.find("pass") == std::string::npos);
  CHECK_FALSE(open_database("sqlite:", Holding::beside));
  CHECK_FALSE(open_database("sqlite:no/such/directory.db", Holding::beside));
  directory.write("text.db",
                  "this is no database, and long enough to be read as the head of one....");
  CHECK_FALSE(open_database("sqlite:text.db", Holding::beside));
}

/// The few functions of SQLite's C interface that a store needs.
#include "sqlite_database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// For a command that writes beside a server, and the other way round.
constexpr int patience_ms = 5000;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

/// Texts are not copied: they outlive the statement.
int bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, index, *number);
  if (const auto* real = std::get_if<double>(&value))
    return sqlite3_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value))
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  return sqlite3_bind_null(statement, index);
}

SqlValue value_at(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate{};
    default:
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  return text == nullptr ? std::string() : std::string(text, length);
}

SqlRow row_of(sqlite3_stmt* statement) {
  SqlRow row;
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) row.push_back(value_at(statement, i));
  return row;
}

/// SQLite would make the file readable for all, and its log after it.
void make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

}  // namespace

SqliteDatabase::SqliteDatabase(std::string path, FileLock lock, sqlite3* handle) noexcept
    : path_(std::move(path)), lock_(std::move(lock)), handle_(handle) {}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

Error SqliteDatabase::fault(int code) const {
  const bool clash = (code & 0xFF) == SQLITE_CONSTRAINT;
  return {.code = clash ? ErrorCode::invalid_argument : ErrorCode::internal,
          .message = fmt::format("{}: {}", path_,
                                 handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory")};
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path,
                                                             Holding holding) {
  if (path.empty()) {
    return Error{.code = ErrorCode::invalid_config,
                 .message = "key \"store.database_url\": names no file; give sqlite:PATH",
                 .param = "store.database_url"};
  }
  FileLock lock;
  if (holding == Holding::alone) {
    auto taken = FileLock::take(path + ".lock");
    if (!taken) return std::move(taken.error());
    lock = std::move(*taken);
  }
  make_private(path);
  sqlite3* handle = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, std::move(lock), handle));
  if (opened != SQLITE_OK) return database->fault(opened);
  if (auto ready = database->set_up(); !ready) return ready.error();
  return database;
}

Result<void> SqliteDatabase::set_up() {
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, patience_ms);
  auto mode = run("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (mode->rows.empty() || mode->rows[0][0] != SqlValue("wal")) {
    return Error{.code = ErrorCode::internal,
                 .message = fmt::format("{}: its file system has no write-ahead log", path_)};
  }
  for (const std::string_view pragma : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"}) {
    if (auto set = run(pragma); !set) return set.error();
  }
  return {};
}

Result<SqlResult> SqliteDatabase::run(std::string_view sql,
                                      std::initializer_list<SqlValue> values) {
  sqlite3_stmt* prepared = nullptr;
  const int made =
      sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
  const Statement statement(prepared);
  if (made != SQLITE_OK) return fault(made);
  int index = 0;
  for (const SqlValue& value : values) {
    if (const int bound = bind(prepared, ++index, value); bound != SQLITE_OK) return fault(bound);
  }
  const std::int64_t before = sqlite3_total_changes64(handle_);
  SqlResult result;
  int step = sqlite3_step(prepared);
  for (; step == SQLITE_ROW; step = sqlite3_step(prepared)) result.rows.push_back(row_of(prepared));
  if (step != SQLITE_DONE) return fault(step);
  result.changed = sqlite3_total_changes64(handle_) - before;
  return result;
}

/// IMMEDIATE: one that reads first and writes later could find that another has written meanwhile.
Result<void> SqliteDatabase::begin() {
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun.error();
  return {};
}

}  // namespace gateway

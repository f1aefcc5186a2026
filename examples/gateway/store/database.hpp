/// What the store needs of an SQL engine. Statements keep to what SQLite and PostgreSQL have in
/// common; everything an engine could make in its own way (ids, times, JSON) is made by the
/// program.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <llmroute/result.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gateway {

/// Nothing (NULL), a number, or a text.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

using SqlRow = std::vector<SqlValue>;

struct SqlResult {
  std::vector<SqlRow> rows{};
  std::int64_t changed = 0;  ///< rows that were inserted, updated or deleted
};

/// One connection; one thread at a time. Errors: invalid_argument when a row would clash with one
/// that is there, internal when the engine cannot do its work now (disk full, read-only, gone).
class Database {
 public:
  virtual ~Database() = default;

  /// One statement, prepared; `$1`, `$2`, ... stand in it in that order, each once.
  virtual llmroute::Result<SqlResult> run(std::string_view statement,
                                          std::initializer_list<SqlValue> values = {}) = 0;

  /// Begins a transaction that nothing else writes beside.
  virtual llmroute::Result<void> begin() = 0;
};

/// Undoes what was done since begin(), unless commit() came. Lives no longer than the database.
class Transaction {
 public:
  static llmroute::Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// What was done is on the disk when it comes back without an error, and undone when with one.
  llmroute::Result<void> commit();

 private:
  explicit Transaction(Database& database) noexcept : database_(&database) {}

  Database* database_;
};

/// How a database is used. A server holds it for itself, as its keys and models are kept in memory;
/// commands go beside it.
enum class Holding : std::uint8_t { alone, beside };

/// The file that "sqlite:PATH" names.
llmroute::Result<std::string> file_of(std::string_view url);

/// Opens what `url` names: "sqlite:PATH" (also "sqlite:///absolute/path"), making the file if it is
/// not there. Errors never quote the rest of a URL: it may hold a password.
llmroute::Result<std::unique_ptr<Database>> open_database(std::string_view url, Holding holding);

}  // namespace gateway

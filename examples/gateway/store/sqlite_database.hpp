/// SQLite as the store's engine: one file, with a write-ahead log beside it.
#pragma once

#include <memory>

#include "database.hpp"
#include "file_lock.hpp"

struct sqlite3;

namespace gateway {

/// What commit() has acknowledged is there after a kill -9 and after a loss of power: the log is
/// synced at each commit (synchronous = FULL).
class SqliteDatabase final : public Database {
 public:
  /// The file is made readable for its owner alone.
  static llmroute::Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path,
                                                                Holding holding);
  ~SqliteDatabase() override;

  llmroute::Result<SqlResult> run(std::string_view statement,
                                  std::initializer_list<SqlValue> values = {}) override;
  llmroute::Result<void> begin() override;

 private:
  SqliteDatabase(std::string path, FileLock lock, sqlite3* handle) noexcept;
  llmroute::Result<void> set_up();
  llmroute::Error fault(int code) const;

  std::string path_;
  FileLock lock_;
  sqlite3* handle_;
};

}  // namespace gateway

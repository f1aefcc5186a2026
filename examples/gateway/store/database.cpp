/// Transactions, and which engine a URL means.
#include "database.hpp"

#include <fmt/format.h>

#include <utility>

#include "sqlite_database.hpp"

namespace gateway {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.begin(); !begun) return begun.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

/// An engine that could not go on has undone it all by itself: then this fails, and nothing is
/// amiss.
Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  if (auto done = database_->run("COMMIT"); !done) return done.error();
  database_ = nullptr;
  return {};
}

Result<std::string> file_of(std::string_view url) {
  constexpr std::string_view scheme = "sqlite:";
  if (url.empty()) url = "sqlite:llmroute.db";
  if (!url.starts_with(scheme)) {
    return Error{
        .code = ErrorCode::invalid_config,
        .message = fmt::format("key \"store.database_url\": \"{}:\" is not understood; give "
                               "sqlite:PATH, such as \"sqlite:llmroute.db\"",
                               url.substr(0, url.find(':'))),
        .param = "store.database_url"};
  }
  std::string_view path = url.substr(scheme.size());
  if (path.starts_with("//")) path.remove_prefix(2);
  return std::string(path);
}

Result<std::unique_ptr<Database>> open_database(std::string_view url, Holding holding) {
  const auto path = file_of(url);
  if (!path) return path.error();
  auto opened = SqliteDatabase::open(*path, holding);
  if (!opened) return std::move(opened.error());
  return std::unique_ptr<Database>(std::move(*opened));
}

}  // namespace gateway

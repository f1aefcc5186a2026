/// Models, backends, keys and the audit log, on whatever engine: every SQL statement of the gateway
/// is in here.
#pragma once

#include <memory>

#include "database.hpp"
#include "records.hpp"

namespace gateway {

/// One thread at a time. Writes belong in a transaction(); errors as in Database.
class Store {
 public:
  /// Over a database of the newest schema (migrate_up).
  explicit Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  llmroute::Result<Transaction> transaction() { return Transaction::begin(*database_); }

  /// In the order they were made, with their backends.
  llmroute::Result<std::vector<ModelRecord>> models();
  llmroute::Result<std::optional<ModelRecord>> model(const std::string& id);
  llmroute::Result<void> insert(const ModelRecord& model);  ///< without its backends
  llmroute::Result<void> update(const ModelRecord& model);
  llmroute::Result<void> remove_model(const std::string& id);  ///< and its backends

  llmroute::Result<void> insert(const BackendRecord& backend);
  llmroute::Result<void> update(const BackendRecord& backend);
  llmroute::Result<void> remove_backend(const std::string& id);

  llmroute::Result<std::vector<KeyRecord>> keys();
  llmroute::Result<std::optional<KeyRecord>> key(const std::string& id);
  llmroute::Result<void> insert(const KeyRecord& key);
  llmroute::Result<void> update(const KeyRecord& key);  ///< all but hash and prefix

  /// Notes a change, and counts it: who keeps a copy of the store sees by revision() that it is
  /// old.
  llmroute::Result<void> note(const AuditRecord& change);
  llmroute::Result<std::vector<AuditRecord>> audit();  ///< in order
  llmroute::Result<std::int64_t> revision();

 private:
  llmroute::Result<void> write(std::string_view statement, std::initializer_list<SqlValue> values);
  llmroute::Result<std::vector<ModelRecord>> with_backends(
      const llmroute::Result<SqlResult>& models, const llmroute::Result<SqlResult>& backends);

  std::unique_ptr<Database> database_;
};

/// Opens the store of a URL and brings its schema up to date.
llmroute::Result<std::unique_ptr<Store>> open_store(std::string_view url, Holding holding);

}  // namespace gateway

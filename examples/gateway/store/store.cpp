/// The statements.
#include "store.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "migrations.hpp"
#include "rows.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;
using rows::value_of;

template <class Record>
Result<std::vector<Record>> records(const Result<SqlResult>& found, Record (*read)(const SqlRow&)) {
  if (!found) return found.error();
  std::vector<Record> list;
  for (const SqlRow& row : found->rows) list.push_back(read(row));
  return list;
}

template <class Record>
Result<std::optional<Record>> first_of(Result<std::vector<Record>> list) {
  if (!list) return std::move(list.error());
  if (list->empty()) return std::optional<Record>();
  return std::optional<Record>(std::move(list->front()));
}

std::string select(std::string_view columns, std::string_view rest) {
  return fmt::format("SELECT {} FROM {}", columns, rest);
}

}  // namespace

Result<void> Store::write(std::string_view statement, std::initializer_list<SqlValue> values) {
  if (auto done = database_->run(statement, values); !done) return std::move(done.error());
  return {};
}

Result<std::vector<ModelRecord>> Store::with_backends(const Result<SqlResult>& models,
                                                      const Result<SqlResult>& backends) {
  auto list = records(models, rows::model_of);
  auto parts = records(backends, rows::backend_of);
  if (!list) return list;
  if (!parts) return std::move(parts.error());
  std::unordered_map<std::string, ModelRecord*> by_id;
  for (ModelRecord& model : *list) by_id.emplace(model.id, &model);
  for (BackendRecord& backend : *parts) {
    const auto owner = by_id.find(backend.model);
    if (owner != by_id.end()) owner->second->backends.push_back(std::move(backend));
  }
  return list;
}

Result<std::vector<ModelRecord>> Store::models() {
  return with_backends(
      database_->run(select(rows::model_columns, "models ORDER BY created_at, id")),
      database_->run(select(rows::backend_columns, "backends ORDER BY created_at, id")));
}

Result<std::optional<ModelRecord>> Store::model(const std::string& id) {
  return first_of(
      with_backends(database_->run(select(rows::model_columns, "models WHERE id = $1"), {id}),
                    database_->run(select(rows::backend_columns,
                                          "backends WHERE model = $1"
                                          " ORDER BY created_at, id"),
                                   {id})));
}

Result<void> Store::insert(const ModelRecord& model) {
  return write(
      "INSERT INTO models (id, name, model_id, active, default_params, reasoning_config,"
      " transforms, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {model.id, model.name, model.model_id, value_of(model.active), model.default_params,
       model.reasoning_config, model.transforms, model.created_at, model.updated_at});
}

Result<void> Store::update(const ModelRecord& model) {
  return write(
      "UPDATE models SET name = $1, model_id = $2, active = $3, default_params = $4,"
      " reasoning_config = $5, transforms = $6, updated_at = $7 WHERE id = $8",
      {model.name, model.model_id, value_of(model.active), model.default_params,
       model.reasoning_config, model.transforms, model.updated_at, model.id});
}

Result<void> Store::remove_model(const std::string& id) {
  return write("DELETE FROM models WHERE id = $1", {id});
}

Result<void> Store::insert(const BackendRecord& backend) {
  return write(
      "INSERT INTO backends (id, model, url, weight, active, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {backend.id, backend.model, backend.url, backend.weight, value_of(backend.active),
       backend.created_at, backend.updated_at});
}

Result<void> Store::update(const BackendRecord& backend) {
  return write(
      "UPDATE backends SET url = $1, weight = $2, active = $3, updated_at = $4 WHERE id = $5",
      {backend.url, backend.weight, value_of(backend.active), backend.updated_at, backend.id});
}

Result<void> Store::remove_backend(const std::string& id) {
  return write("DELETE FROM backends WHERE id = $1", {id});
}

Result<std::vector<KeyRecord>> Store::keys() {
  return records(database_->run(select(rows::key_columns, "api_keys ORDER BY created_at, id")),
                 rows::key_of);
}

Result<std::optional<KeyRecord>> Store::key(const std::string& id) {
  return first_of(records(database_->run(select(rows::key_columns, "api_keys WHERE id = $1"), {id}),
                          rows::key_of));
}

Result<void> Store::insert(const KeyRecord& key) {
  return write(
      "INSERT INTO api_keys (id, key_hash, key_prefix, name, allowed_models, rpm_limit, tpm_limit,"
      " expires_at, active, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {key.id, key.hash, key.prefix, key.name, value_of(key.allowed_models),
       value_of(key.rpm_limit), value_of(key.tpm_limit), value_of(key.expires_at),
       value_of(key.active), key.created_at, key.updated_at});
}

Result<void> Store::update(const KeyRecord& key) {
  return write(
      "UPDATE api_keys SET name = $1, allowed_models = $2, rpm_limit = $3, tpm_limit = $4,"
      " expires_at = $5, active = $6, updated_at = $7 WHERE id = $8",
      {key.name, value_of(key.allowed_models), value_of(key.rpm_limit), value_of(key.tpm_limit),
       value_of(key.expires_at), value_of(key.active), key.updated_at, key.id});
}

Result<void> Store::note(const AuditRecord& change) {
  auto noted = write(
      "INSERT INTO audit_log (id, at, who, action, subject, before, after)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {change.id, change.at, change.who, change.action, change.subject, value_of(change.before),
       value_of(change.after)});
  return noted ? write("UPDATE revision SET number = number + 1 WHERE id = $1", {std::int64_t{1}})
               : std::move(noted);
}

Result<std::vector<AuditRecord>> Store::audit() {
  return records(database_->run(select(rows::audit_columns, "audit_log ORDER BY at, id")),
                 rows::audit_of);
}

Result<std::int64_t> Store::revision() {
  auto found = database_->run("SELECT number FROM revision WHERE id = $1", {std::int64_t{1}});
  if (!found) return std::move(found.error());
  const bool whole =
      !found->rows.empty() && std::holds_alternative<std::int64_t>(found->rows[0][0]);
  if (whole) return std::get<std::int64_t>(found->rows[0][0]);
  return Error{.code = ErrorCode::internal, .message = "the store has lost its revision"};
}

Result<std::unique_ptr<Store>> open_store(std::string_view url, Holding holding) {
  auto database = open_database(url, holding);
  if (!database) return std::move(database.error());
  if (auto ready = migrate_up(**database); !ready) return std::move(ready.error());
  return std::make_unique<Store>(std::move(*database));
}

}  // namespace gateway

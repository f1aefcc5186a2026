/// Records from rows, and what of a record needs another form in a row.
#pragma once

#include "database.hpp"
#include "records.hpp"

namespace gateway::rows {

// The columns, in the order in which the functions below read them.
inline constexpr std::string_view model_columns =
    "id, name, model_id, active, default_params, reasoning_config, transforms, created_at, "
    "updated_at";
inline constexpr std::string_view backend_columns =
    "id, model, url, weight, active, created_at, updated_at";
inline constexpr std::string_view key_columns =
    "id, key_hash, key_prefix, name, allowed_models, rpm_limit, tpm_limit, expires_at, active, "
    "created_at, updated_at";
inline constexpr std::string_view audit_columns = "id, at, who, action, subject, before, after";

ModelRecord model_of(const SqlRow& row);
BackendRecord backend_of(const SqlRow& row);
KeyRecord key_of(const SqlRow& row);
AuditRecord audit_of(const SqlRow& row);

SqlValue value_of(bool flag);
SqlValue value_of(const std::optional<std::int64_t>& number);
SqlValue value_of(const std::optional<std::string>& text);
SqlValue value_of(const std::vector<std::string>& list);  ///< as a JSON array

}  // namespace gateway::rows

/// What the store holds, as plain values: the rows of its tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/timestamp.hpp"

namespace gateway {

/// A node of a model. One URL is one node, in however many models it stands.
struct BackendRecord {
  std::string id{};
  std::string model{};  ///< the model's id
  std::string url{};    ///< as node_url() writes it
  double weight = 1;
  bool active = true;
  Timestamp created_at = 0;
  Timestamp updated_at = 0;
};

struct ModelRecord {
  std::string id{};
  std::string name{};      ///< what callers ask for
  std::string model_id{};  ///< what nodes are asked for
  bool active = true;
  std::string default_params = "{}";  ///< JSON objects, as they came
  std::string reasoning_config = "{}";
  std::string transforms = "{}";
  Timestamp created_at = 0;
  Timestamp updated_at = 0;
  std::vector<BackendRecord> backends{};  ///< in the order they were added
};

/// A caller's key; the key itself is nowhere.
struct KeyRecord {
  std::string id{};
  std::string hash{};    ///< SHA-256, hexadecimal
  std::string prefix{};  ///< what may be shown of it
  std::string name{};
  std::vector<std::string> allowed_models{};  ///< empty: all
  std::optional<std::int64_t> rpm_limit{};    ///< none: as configured; 0: no limit
  std::optional<std::int64_t> tpm_limit{};
  std::optional<Timestamp> expires_at{};  ///< none: never
  bool active = true;                     ///< false: revoked
  Timestamp created_at = 0;
  Timestamp updated_at = 0;
};

/// One change of the above, as the audit log has it.
struct AuditRecord {
  std::string id{};
  Timestamp at = 0;
  std::string who{};
  std::string action{};                 ///< "model.create", "key.revoke", ...
  std::string subject{};                ///< the id of what was changed
  std::optional<std::string> before{};  ///< as the admin API shows it; none: it was not there
  std::optional<std::string> after{};   ///< none: it is not there any more
};

}  // namespace gateway

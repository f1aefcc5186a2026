/// `llmroute-gateway keys create|list|revoke`: keys without a server, or beside one, which sees the
/// change within store.cache_refresh_interval.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "options.hpp"

namespace gateway {

struct KeysArguments {
  std::string what{};  ///< create, list or revoke
  std::string name{};  ///< of the key to create
  std::string id{};    ///< of the key to revoke
  std::vector<std::string> allowed_models{};
  std::optional<std::int64_t> rpm_limit{};
  std::optional<std::int64_t> tpm_limit{};
  std::optional<std::string> expires_at{};
};

/// Prints JSON as the admin API answers it. The exit code: 0; 1 when the store says no; 2 when an
/// argument is wrong; the reason goes to standard error.
int keys_command(const Options& options, const KeysArguments& arguments);

}  // namespace gateway

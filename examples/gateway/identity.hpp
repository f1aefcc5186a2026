/// Who is behind a request: what a caller's credential says once it has been found good.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// An immutable value, shared by the requests of one caller.
struct Identity {
  std::string tenant{};                       ///< whom limits, fairness and metrics count
  std::string key_prefix{};                   ///< what a log may show of the key; empty: no key
  std::vector<std::string> allowed_models{};  ///< empty: all
  std::optional<std::int64_t> rpm{};          ///< none: as configured; 0: no limit
  std::optional<std::int64_t> tpm{};

  /// Whether it matters to anybody which model it asks for.
  bool has_rules() const noexcept { return !allowed_models.empty() || rpm || tpm; }

  bool may_use(std::string_view model) const {
    return allowed_models.empty() ||
           std::find(allowed_models.begin(), allowed_models.end(), model) != allowed_models.end();
  }
};

}  // namespace gateway

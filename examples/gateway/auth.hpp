/// Who may use the gateway: one token for all, compared in a time that does not depend on where two
/// texts differ.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

class Auth {
 public:
  /// An empty token: nobody is asked for one.
  explicit Auth(std::string token) : token_(std::move(token)) {}

  bool required() const noexcept { return !token_.empty(); }

  /// Whether the Authorization field's value lets its sender in.
  bool admits(std::optional<std::string_view> authorization) const noexcept;

 private:
  std::string token_;
};

/// Equal; the time taken depends on the lengths alone.
bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace gateway

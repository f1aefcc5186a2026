/// Who may use the gateway: one token for all, tokens of tenants, keys of the store, in any
/// combination. Once there is one of these nobody comes in without. The admin key is another door:
/// it opens nothing else, and nothing else opens it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "key_ring.hpp"
#include "options.hpp"

namespace gateway {

/// What became of a caller's credential.
struct Admission {
  bool admitted = false;
  std::shared_ptr<const Identity> identity{};  ///< null: nobody in particular
};

/// Immutable; any thread. Secrets are compared in a time that does not depend on where two differ.
class Auth {
 public:
  explicit Auth(const AuthOptions& options);

  /// Whether callers are asked for a credential at all.
  bool required() const noexcept { return keys_ || !token_.empty() || !tokens_.empty(); }

  /// `authorization` is that field's value, `keys` those of the store at this moment. Throws
  /// std::bad_alloc.
  Admission admit(std::optional<std::string_view> authorization, const KeyTable& keys) const;

  bool admin_on() const noexcept { return !admin_key_.empty(); }

  /// `key` is the value of X-Admin-Key.
  bool admits_admin(std::optional<std::string_view> key) const noexcept;

  /// Names the admin key in the audit log: the first digits of its SHA-256.
  const std::string& admin_name() const noexcept { return admin_name_; }

 private:
  std::string token_;
  KeyTable tokens_;
  bool keys_;
  std::string admin_key_;
  std::string admin_name_;
};

/// Equal; the time taken depends on the lengths alone.
bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace gateway

/// Checks bearer tokens (RFC 6750, section 2.1) and the admin key.
#include "auth.hpp"

#include <llmroute/headers.hpp>

namespace gateway {
namespace {

KeyTable table_of_tokens(const std::map<std::string, std::string>& tokens) {
  KeyTable table;
  for (const auto& [token, tenant] : tokens) {
    if (token.empty()) continue;  // would let everyone in
    auto identity = std::make_shared<const Identity>(Identity{.tenant = tenant});
    table.emplace(sha256(token), HeldKey{std::move(identity), std::nullopt});
  }
  return table;
}

/// What is behind "Bearer "; empty: there is none.
std::string_view bearer_of(std::optional<std::string_view> authorization) {
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization || authorization->size() < scheme.size()) return {};
  if (!llmroute::same_field_name(authorization->substr(0, scheme.size()), scheme)) return {};
  std::string_view token = authorization->substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  return token;
}

Admission find(const KeyTable& table, const Digest& digest) {
  const auto found = table.find(digest);
  if (found == table.end()) return {};
  const HeldKey& key = found->second;
  if (key.expires_at && *key.expires_at <= now_timestamp()) return {};
  return {.admitted = true, .identity = key.identity};
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) noexcept {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && !b.empty(); ++i) {
    const volatile char other = b[i % b.size()];  // volatile: the loop may not end early
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

Auth::Auth(const AuthOptions& options)
    : token_(options.auth_token),
      tokens_(table_of_tokens(options.tokens)),
      keys_(options.keys),
      admin_key_(options.admin_key),
      admin_name_(admin_on() ? "admin-" + hex_of(sha256(admin_key_)).substr(0, 8) : "") {}

Admission Auth::admit(std::optional<std::string_view> authorization, const KeyTable& keys) const {
  if (!required()) return {.admitted = true};
  const std::string_view token = bearer_of(authorization);
  if (token.empty()) return {};
  if (!token_.empty() && same_secret(token, token_)) return {.admitted = true};
  if (tokens_.empty() && !keys_) return {};
  const Digest digest = sha256(token);
  Admission admission = find(tokens_, digest);
  return admission.admitted || !keys_ ? admission : find(keys, digest);
}

bool Auth::admits_admin(std::optional<std::string_view> key) const noexcept {
  return admin_on() && key && same_secret(*key, admin_key_);
}

}  // namespace gateway

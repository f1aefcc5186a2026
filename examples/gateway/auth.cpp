/// Checks bearer tokens (RFC 6750, section 2.1).
#include "auth.hpp"

#include <llmroute/headers.hpp>

namespace gateway {

bool same_secret(std::string_view a, std::string_view b) noexcept {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && !b.empty(); ++i) {
    const volatile char other = b[i % b.size()];  // volatile: the loop may not end early
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

bool Auth::admits(std::optional<std::string_view> authorization) const noexcept {
  if (!required()) return true;
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization || authorization->size() < scheme.size()) return false;
  if (!llmroute::same_field_name(authorization->substr(0, scheme.size()), scheme)) return false;
  std::string_view token = authorization->substr(scheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  return same_secret(token, token_);
}

}  // namespace gateway

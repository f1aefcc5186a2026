/// The methods a request may have; which nodes may be asked after one another depends on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace llmroute {

enum class HttpMethod : std::uint8_t { post, get, head, put, patch, delete_ };

inline constexpr std::array<std::string_view, 6> http_method_names{"POST", "GET",   "HEAD",
                                                                   "PUT",  "PATCH", "DELETE"};

/// As it stands in a request line.
constexpr std::string_view name(HttpMethod method) noexcept {
  return http_method_names[static_cast<std::size_t>(method)];
}

/// The method of that name, in capitals as HTTP wants it; none for another.
constexpr std::optional<HttpMethod> http_method(std::string_view name) noexcept {
  for (std::size_t i = 0; i < http_method_names.size(); ++i) {
    if (http_method_names[i] == name) return static_cast<HttpMethod>(i);
  }
  return std::nullopt;
}

/// Whether its requests have a body here; a body given with another is not sent.
constexpr bool sends_body(HttpMethod method) noexcept {
  return method == HttpMethod::post || method == HttpMethod::put || method == HttpMethod::patch;
}

/// Whether asking twice does no more than asking once (RFC 9110, section 9.2.2).
constexpr bool is_idempotent(HttpMethod method) noexcept {
  return method != HttpMethod::post && method != HttpMethod::patch;
}

}  // namespace llmroute

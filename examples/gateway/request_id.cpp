/// Judges and makes request ids.
#include "request_id.hpp"

#include <algorithm>
#include <cstdint>
#include <llmroute/wire/error_body.hpp>

namespace gateway {

bool sane_request_id(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), allowed) &&
         llmroute::wire::redacted(id) == id;
}

std::string make_request_id(llmroute::Rng& rng) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string id = "req-00000000000000000000000000000000";
  for (std::size_t at = 4; at < id.size(); at += 16) {
    std::uint64_t bits = rng();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) id[at + i] = digits[bits & 15];
  }
  return id;
}

}  // namespace gateway

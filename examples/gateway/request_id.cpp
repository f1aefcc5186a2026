/// Judges and makes request ids.
#include "request_id.hpp"

#include <algorithm>
#include <cstdint>

namespace gateway {

bool sane_request_id(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), allowed);
}

std::string make_request_id(llmroute::Rng& rng) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string id = "req-00000000000000000000000000000000";
  std::uint64_t bits = 0;
  for (std::size_t i = 4; i < id.size(); ++i) {
    if ((i - 4) % 16 == 0) bits = rng();
    id[i] = digits[bits & 15];
    bits >>= 4;
  }
  return id;
}

}  // namespace gateway

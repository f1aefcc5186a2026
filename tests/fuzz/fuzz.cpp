// The parts of a target's input, and how a broken promise is told.
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <llmroute/wire/check_json.hpp>

namespace llmroute::fuzz {

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

bool is_json_object(std::string_view text) { return wire::check_json(text, "/").has_value(); }

Pieces::Pieces(std::string_view input) noexcept {
  if (input.empty()) return;
  const std::size_t count =
      std::min<std::size_t>(static_cast<unsigned char>(input[0]) % 16, input.size() - 1);
  sizes_ = input.substr(1, count);
  text_ = input.substr(1 + count);
}

std::size_t Pieces::size(std::size_t i) const noexcept {
  if (sizes_.empty()) return text_.size();
  const auto size = static_cast<unsigned char>(sizes_[i % sizes_.size()]);
  return size == 0 ? 256 : size;
}

}  // namespace llmroute::fuzz

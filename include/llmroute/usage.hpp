/// What a call cost in tokens, as the node that answered counted it.
#pragma once

#include <cstdint>

namespace llmroute {

/// All zero when the node said nothing.
struct Usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t total_tokens = 0;   ///< the sum, where the node does not say it
  std::int64_t cached_tokens = 0;  ///< part of prompt_tokens that a prefix cache answered

  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace llmroute

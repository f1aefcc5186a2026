/// Tokens and times in the numbers C reads.
#pragma once

#include <chrono>
#include <llmroute/core/time.hpp>
#include <llmroute/usage.hpp>
#include <optional>

#include "llmroute.h"

namespace llmroute::capi {

inline llmroute_usage usage_out(const Usage& usage) noexcept {
  return {.prompt_tokens = usage.prompt_tokens,
          .completion_tokens = usage.completion_tokens,
          .total_tokens = usage.total_tokens,
          .cached_tokens = usage.cached_tokens};
}

inline std::int64_t microseconds(Duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

inline std::int64_t microseconds(std::optional<Duration> time) noexcept {
  return time ? microseconds(*time) : -1;
}

}  // namespace llmroute::capi

/// How much of something a subject may spend a minute, and how far it has gone: the words that
/// windows, buckets and the limiter above them share.
#pragma once

#include <cstdint>
#include <llmroute/core/time.hpp>

namespace llmroute {

struct RateLimit {
  std::int64_t per_minute = 0;  ///< 0: no limit
  std::int64_t burst = 0;       ///< of a token bucket, at once; 0: a minute's worth

  bool any() const noexcept { return per_minute > 0; }
};

/// What X-RateLimit headers say.
struct RateStanding {
  std::int64_t limit = 0;  ///< 0: none, and nothing else here means anything
  std::int64_t remaining = 0;
  Duration reset{};  ///< until nothing is spent any more
};

/// Where a call's subject stands, once the call has been granted or refused.
struct RateReport {
  RateStanding requests{};
  RateStanding tokens{};
};

/// When something was spent, for whoever takes it back.
using RateMark = std::int64_t;

}  // namespace llmroute

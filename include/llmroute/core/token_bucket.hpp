/// A token bucket: fills at an even rate up to its burst, and every request takes from it. Lets a
/// burst through at once where a window would, and then holds to the rate from second to second.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <llmroute/core/rate_limit.hpp>
#include <utility>

namespace llmroute {

/// Starts full. What is corrected afterwards may leave it below nothing: then it fills from there.
/// Limits may differ from call to call, as when they are changed at run time. Not thread safe.
class TokenBucket {
 public:
  /// `now` when so much can be taken at once, else the moment it can. More than the whole burst
  /// waits for a full bucket.
  Time fits_at(std::int64_t amount, const RateLimit& limit, Time now) noexcept {
    fill(limit, now);
    const double wanted = static_cast<double>(std::min(amount, size(limit)));
    return wanted <= balance(limit) ? now : after(now, time_for(wanted - balance(limit), limit));
  }

  RateMark add(std::int64_t amount, Time now) noexcept {
    if (filled_ == Time{}) filled_ = now;
    spent_ += static_cast<double>(amount);
    return 0;
  }

  void change(RateMark, std::int64_t by) noexcept {
    spent_ = std::max(spent_ + static_cast<double>(by), 0.0);
  }

  RateStanding standing(const RateLimit& limit, Time now) noexcept {
    if (!limit.any()) return {};
    fill(limit, now);
    return {.limit = size(limit),
            .remaining = std::max<std::int64_t>(std::llround(std::floor(balance(limit))), 0),
            .reset = time_for(spent_, limit)};
  }

  bool idle(const RateLimit& limit, Time now) noexcept {
    fill(limit, now);
    return spent_ == 0;
  }

 private:
  static std::int64_t size(const RateLimit& limit) noexcept {
    return limit.burst > 0 ? limit.burst : limit.per_minute;
  }
  static double per_second(const RateLimit& limit) noexcept {
    return static_cast<double>(limit.per_minute) / 60;
  }
  /// Rounded up, so that what was promised for a moment is there at that moment.
  static Duration time_for(double amount, const RateLimit& limit) noexcept {
    return std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>(amount / per_second(limit)));
  }
  double balance(const RateLimit& limit) const noexcept {
    return static_cast<double>(size(limit)) - spent_;
  }
  void fill(const RateLimit& limit, Time now) noexcept {
    const Duration gone = now - std::exchange(filled_, std::max(filled_, now));
    if (gone <= Duration{}) return;  // another thread's clock was read later
    spent_ = limit.any() ? std::max(spent_ - seconds(gone) * per_second(limit), 0.0) : 0;
  }

  double spent_ = 0;  // what is missing from a full bucket
  Time filled_{};
};

}  // namespace llmroute

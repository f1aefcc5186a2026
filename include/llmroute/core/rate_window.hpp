/// What was spent in the last minute. A sliding window: no minute, whenever it begins, holds more
/// than the limit, where counters that start anew with each minute let twice as much through.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <llmroute/core/rate_limit.hpp>

namespace llmroute {

/// In buckets of a second, of which the one under way and sixty before it count: what was spent
/// leaves up to a second late and never early. 500 bytes; time may not run backwards. Not thread
/// safe.
class RateWindow {
 public:
  /// `now` when so much can be spent at once, else the moment it can. More than the whole limit
  /// waits for an empty window.
  Time fits_at(std::int64_t amount, const RateLimit& limit, Time now) noexcept;

  RateMark add(std::int64_t amount, Time now) noexcept;

  /// Corrects what was added at `mark`; nothing, when that has left the window.
  void change(RateMark mark, std::int64_t by) noexcept;

  RateStanding standing(const RateLimit& limit, Time now) noexcept;

  bool idle(const RateLimit&, Time now) noexcept {
    advance(now);
    return sum_ == 0;
  }

 private:
  static constexpr std::int64_t kept = 61;
  static std::int64_t number(Time now) noexcept {
    return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  }
  static Time gone_at(std::int64_t bucket) noexcept {
    return Time(std::chrono::seconds(bucket + kept));
  }
  std::int64_t& amount_of(std::int64_t bucket) noexcept {
    return amounts_[static_cast<std::size_t>(bucket % kept)];
  }
  void advance(Time now) noexcept;

  std::int64_t newest_ = 0;
  std::int64_t sum_ = 0;
  std::array<std::int64_t, kept> amounts_{};
};

inline void RateWindow::advance(Time now) noexcept {
  const std::int64_t newest = number(now);
  if (newest <= newest_) return;
  const std::int64_t fresh = std::min(newest - newest_, kept);
  for (std::int64_t bucket = newest - fresh + 1; bucket <= newest; ++bucket) {
    sum_ -= amount_of(bucket);
    amount_of(bucket) = 0;
  }
  newest_ = newest;
}

inline Time RateWindow::fits_at(std::int64_t amount, const RateLimit& limit, Time now) noexcept {
  advance(now);
  const std::int64_t wanted = std::min(amount, limit.per_minute);
  std::int64_t free = limit.per_minute - sum_;
  if (wanted <= free) return now;
  std::int64_t bucket = std::max<std::int64_t>(newest_ - kept + 1, 0);
  while (bucket < newest_ && free + amount_of(bucket) < wanted) free += amount_of(bucket++);
  return gone_at(bucket);
}

inline RateMark RateWindow::add(std::int64_t amount, Time now) noexcept {
  advance(now);
  amount_of(newest_) += amount;
  sum_ += amount;
  return newest_;
}

inline void RateWindow::change(RateMark mark, std::int64_t by) noexcept {
  if (mark <= newest_ - kept) return;
  amount_of(mark) += by;
  sum_ += by;
}

inline RateStanding RateWindow::standing(const RateLimit& limit, Time now) noexcept {
  advance(now);
  if (!limit.any()) return {};
  std::int64_t last = newest_;
  while (sum_ != 0 && last > 0 && amount_of(last) == 0) --last;
  return {.limit = limit.per_minute,
          .remaining = std::max<std::int64_t>(limit.per_minute - sum_, 0),
          .reset = sum_ == 0 ? Duration{} : gone_at(last) - now};
}

}  // namespace llmroute

/// Counts over the last so many seconds, in ten buckets: constant memory, constant time, and an
/// error of at most a tenth of the window. What breakers and outlier detection look at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <llmroute/core/time.hpp>

namespace llmroute {

/// Not thread safe. Time may stand still but not run backwards by more than the window.
class SlidingWindow {
 public:
  struct Totals {
    std::uint32_t count = 0;
    std::uint32_t failures = 0;
    double seconds = 0;  ///< sum over all counted

    double failure_rate() const noexcept { return count == 0 ? 0 : double(failures) / count; }
    double mean_seconds() const noexcept { return count == 0 ? 0 : seconds / count; }
  };

  explicit SlidingWindow(Duration window) noexcept
      : bucket_length_(window.count() > bucket_count ? window.count() / bucket_count : 1) {}

  void add(bool failed, Duration time, Time now) noexcept {
    Bucket& bucket = at(now);
    ++bucket.totals.count;
    bucket.totals.failures += failed ? 1U : 0U;
    bucket.totals.seconds += seconds(time);
  }

  Totals totals(Time now) const noexcept {
    const std::int64_t newest = number(now);
    Totals sum;
    for (const Bucket& bucket : buckets_) {
      if (bucket.number <= newest - bucket_count || bucket.number > newest) continue;
      sum.count += bucket.totals.count;
      sum.failures += bucket.totals.failures;
      sum.seconds += bucket.totals.seconds;
    }
    return sum;
  }

  void clear() noexcept { buckets_ = {}; }

 private:
  static constexpr std::int64_t bucket_count = 10;

  struct Bucket {
    std::int64_t number = std::numeric_limits<std::int64_t>::min();
    Totals totals{};
  };

  std::int64_t number(Time now) const noexcept {
    return now.time_since_epoch().count() / bucket_length_;
  }

  Bucket& at(Time now) noexcept {
    const std::int64_t wanted = number(now);
    Bucket& bucket = buckets_[static_cast<std::size_t>(wanted % bucket_count)];
    if (bucket.number != wanted) bucket = {wanted, {}};
    return bucket;
  }

  std::int64_t bucket_length_;
  std::array<Bucket, bucket_count> buckets_{};
};

}  // namespace llmroute

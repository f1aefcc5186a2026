/// Percentiles of times that came lately, at a few instructions for each.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

/// A percentile of recent times, in buckets an eighth of an octave wide: within 5 %. Older times
/// fade as new ones come. Thread safe; counts may be lost while it fades.
class RecentPercentile {
 public:
  void add(Duration time) noexcept;

  /// The time that `share` (0..1) of them do not exceed. None while there are fewer than `enough`.
  std::optional<Duration> at(double share, std::uint32_t enough = 20) const noexcept;

 private:
  static constexpr int buckets = 192;  // from 0.1 ms to 1,600 s
  static constexpr std::uint32_t most = 2048;
  static constexpr double shortest = 1e-4;
  static int bucket_of(Duration time) noexcept;

  std::array<std::atomic<std::uint32_t>, buckets> counts_{};
  std::atomic<std::uint32_t> total_{0};
};

inline int RecentPercentile::bucket_of(Duration time) noexcept {
  const double ratio = std::max(seconds(time) / shortest, 1.0);
  return std::min(static_cast<int>(std::log2(ratio) * 8), buckets - 1);
}

inline void RecentPercentile::add(Duration time) noexcept {
  counts_[static_cast<std::size_t>(bucket_of(time))].fetch_add(1, std::memory_order_relaxed);
  if (total_.fetch_add(1, std::memory_order_relaxed) < most) return;
  std::uint32_t left = 0;
  for (auto& count : counts_) {
    const std::uint32_t half = count.load(std::memory_order_relaxed) / 2;
    count.store(half, std::memory_order_relaxed);
    left += half;
  }
  total_.store(left, std::memory_order_relaxed);
}

inline std::optional<Duration> RecentPercentile::at(double share,
                                                    std::uint32_t enough) const noexcept {
  const std::uint32_t total = total_.load(std::memory_order_relaxed);
  if (total < std::max(enough, 1U)) return std::nullopt;
  const auto wanted = static_cast<std::uint32_t>(std::ceil(share * total));
  std::uint32_t seen = 0;
  int bucket = 0;
  for (; bucket < buckets - 1; ++bucket) {
    seen += counts_[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed);
    if (seen >= wanted) break;
  }
  const double middle = shortest * std::exp2((bucket + 0.5) / 8.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(middle));
}

}  // namespace llmroute

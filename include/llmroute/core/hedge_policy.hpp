/// When a second attempt may start because the first is late. Of two requests to a fleet whose slow
/// answers are rare, both are seldom slow (Dean and Barroso, "The Tail at Scale", 2013).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

struct HedgeOptions {
  bool enabled = false;
  std::optional<Duration> delay{};  ///< none: the 95th percentile of what was observed
  double max_share = 0.05;          ///< hedges per call

  friend bool operator==(const HedgeOptions&, const HedgeOptions&) = default;
};

/// A percentile of recent times, in buckets an eighth of an octave wide: within 5 %. Older times
/// fade as new ones come. Thread safe; counts may be lost while it fades.
class RecentPercentile {
 public:
  void add(Duration time) noexcept;

  /// None while there have been fewer than 20.
  std::optional<Duration> at(double share) const noexcept;

 private:
  static constexpr int buckets = 192;  // from 0.1 ms to 1,600 s
  static constexpr std::uint32_t enough = 20;
  static constexpr std::uint32_t most = 2048;
  static constexpr double shortest = 1e-4;
  static int bucket_of(Duration time) noexcept;

  std::array<std::atomic<std::uint32_t>, buckets> counts_{};
  std::atomic<std::uint32_t> total_{0};
};

/// Streams are late by their first content, plain calls by their whole answer. Thread safe.
class HedgePolicy {
 public:
  explicit HedgePolicy(const HedgeOptions& options = {}) noexcept : options_(options) {}

  bool enabled() const noexcept { return options_.enabled; }

  /// Every call pays its share into the bucket.
  void call_started() noexcept { add(options_.max_share); }

  /// What an attempt took.
  void observe(bool stream, Duration time) noexcept {
    if (options_.enabled) times_[stream ? 1 : 0].add(time);
  }

  /// How long to wait for a first attempt; none: too little is known.
  std::optional<Duration> delay(bool stream) const noexcept {
    return options_.delay ? options_.delay : times_[stream ? 1 : 0].at(0.95);
  }

  /// True, and a token less, when a hedge is within max_share.
  bool take() noexcept;

 private:
  static constexpr double fullest = 10;
  void add(double amount) noexcept;

  HedgeOptions options_;
  std::array<RecentPercentile, 2> times_{};
  std::atomic<double> tokens_{1};
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

inline std::optional<Duration> RecentPercentile::at(double share) const noexcept {
  const std::uint32_t total = total_.load(std::memory_order_relaxed);
  if (total < enough) return std::nullopt;
  const auto wanted = static_cast<std::uint32_t>(std::ceil(share * total));
  std::uint32_t seen = 0;
  int bucket = 0;
  for (; bucket < buckets - 1; ++bucket) {
    seen += counts_[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed);
    if (seen >= wanted) break;
  }
  const double upper = shortest * std::exp2((bucket + 1) / 8.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(upper));
}

inline void HedgePolicy::add(double amount) noexcept {
  double tokens = tokens_.load(std::memory_order_relaxed);
  while (!tokens_.compare_exchange_weak(tokens, std::min(tokens + amount, fullest),
                                        std::memory_order_relaxed)) {
  }
}

inline bool HedgePolicy::take() noexcept {
  double tokens = tokens_.load(std::memory_order_relaxed);
  while (tokens >= 1) {
    if (tokens_.compare_exchange_weak(tokens, tokens - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace llmroute

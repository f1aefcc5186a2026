/// When a second attempt may start because the first is late. Of two requests to a fleet whose slow
/// answers are rare, both are seldom slow (Dean and Barroso, "The Tail at Scale", 2013).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <llmroute/core/recent_percentile.hpp>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

struct HedgeOptions {
  bool enabled = false;
  std::optional<Duration> delay{};  ///< none: the 95th percentile of what was observed
  double max_share = 0.05;          ///< hedges per call

  friend bool operator==(const HedgeOptions&, const HedgeOptions&) = default;
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

/// What is measured of a node while calls run: counters every loop adds to, averages under the
/// node's lock.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <llmroute/core/load_report.hpp>
#include <llmroute/core/recent_percentile.hpp>
#include <llmroute/core/time.hpp>
#include <new>
#include <optional>

namespace llmroute {

/// A mean that forgets: weights halve every `tau * ln 2`, whatever the spacing of the samples.
/// Between samples the value stays; `decayed` lets it fade towards zero, for readers to whom a
/// stale high value must not be a life sentence. Writers take turns (the node's lock); readers see
/// a recent value.
class Ewma {
 public:
  explicit Ewma(Duration tau = std::chrono::seconds(10)) noexcept : tau_(seconds(tau)) {}

  void add(double sample, Time now) noexcept {
    const double old = value_.load(std::memory_order_relaxed);
    const Time last{Duration{last_.load(std::memory_order_relaxed)}};
    const double keep = seen() ? std::exp(-seconds(now - last) / tau_) : 0.0;
    value_.store(old * keep + sample * (1 - keep), std::memory_order_relaxed);
    last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// The next sample counts as the first.
  void restart() noexcept { last_.store(0, std::memory_order_relaxed); }

  bool seen() const noexcept { return last_.load(std::memory_order_relaxed) != 0; }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

  /// The value as if nothing but zero had come since the last sample.
  double decayed(Time now) const noexcept {
    const Time last{Duration{last_.load(std::memory_order_relaxed)}};
    return value() * std::exp(-seconds(now - last) / tau_);
  }

 private:
  double tau_;
  std::atomic<double> value_{0};
  std::atomic<Duration::rep> last_{0};
};

/// The same, but a sample above the mean is believed at once: bad news travels fast, good news has
/// to be confirmed (Finagle's peak EWMA).
class PeakEwma {
 public:
  void add(double sample, Time now) noexcept {
    if (sample > mean_.value()) mean_.restart();
    mean_.add(sample, now);
  }
  bool seen() const noexcept { return mean_.seen(); }
  double decayed(Time now) const noexcept { return mean_.decayed(now); }

 private:
  Ewma mean_{};
};

/// Percentiles that take memory with the first time only: a pick goes through many nodes, and is as
/// fast as they are small. Writers take turns (the node's lock); readers see recent values.
class Spread {
 public:
  Spread() = default;
  Spread(const Spread&) = delete;
  Spread& operator=(const Spread&) = delete;
  ~Spread() { delete times_.load(std::memory_order_relaxed); }

  /// Without memory the time is left out.
  void add(Duration time) noexcept {
    RecentPercentile* times = times_.load(std::memory_order_relaxed);
    if (times == nullptr) {
      times = new (std::nothrow) RecentPercentile;
      if (times == nullptr) return;
      times_.store(times, std::memory_order_release);
    }
    times->add(time);
  }

  /// The time that `share` (0..1) of them do not exceed, however few there are; none: none.
  std::optional<Duration> at(double share) const noexcept {
    const RecentPercentile* times = times_.load(std::memory_order_acquire);
    return times != nullptr ? times->at(share, 1) : std::nullopt;
  }

 private:
  std::atomic<RecentPercentile*> times_{nullptr};
};

/// Thread safe: counters by any loop, averages by whoever holds the node's lock.
struct NodeStats {
  std::atomic<int> in_flight{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> failures{0};
  Ewma latency_seconds{};         ///< whole plain answers
  Ewma first_content_seconds{};   ///< streams, to the first content
  PeakEwma wait_seconds{};        ///< either: what a caller waits for first
  Ewma per_token_seconds{};       ///< plain answers, per completion token
  OthersLoad others{};            ///< as the node reports it
  Spread latency_spread{};        ///< of what latency_seconds is the mean of
  Spread first_content_spread{};  ///< likewise
};

}  // namespace llmroute

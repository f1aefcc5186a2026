/// Stops asking what keeps failing: closed while all is well, open after failures, half-open to let
/// a probe find out. After Nygard, Release It! (2007), with the lessons of hazards other routers
/// fell into: a lone failure is no rate, a late result says nothing about now, and a failure never
/// shortens a wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <llmroute/core/sliding_window.hpp>
#include <llmroute/core/time.hpp>
#include <optional>
#include <utility>

namespace llmroute {

/// What came of an attempt, in a breaker's eyes.
enum class Verdict : std::uint8_t { success, failure };

enum class BreakerMode : std::uint8_t {
  reject,       ///< an open breaker keeps its node out
  deprioritize  ///< an open breaker only sorts its node behind the others
};

enum class BreakerState : std::uint8_t { closed, open, half_open };

/// The keys of [breaker].
struct BreakerOptions {
  BreakerMode mode = BreakerMode::reject;  ///< read by NodePool; the breaker itself always counts
  int consecutive_failures = 3;            ///< opens at so many in a row; 0: never for that reason
  double failure_rate = 0.5;  ///< opens at this share of failures ... ; 0: never for that reason
  int min_requests = 5;       ///< ... of at least so many results (never fewer than 2) ...
  Duration window = std::chrono::seconds(10);  ///< ... within this time
  Duration open = std::chrono::seconds(5);  ///< first open time; doubles each time it opens again
  Duration max_open = std::chrono::seconds(60);  ///< up to this
  int half_open_probes = 1;                      ///< attempts let in at a time while half-open

  friend bool operator==(const BreakerOptions&, const BreakerOptions&) = default;
};

/// Not thread safe: the node's lock guards it. All times are passed in.
///
///     CircuitBreaker breaker{{.consecutive_failures = 3, .open = 5s}};
///     if (auto pass = breaker.try_enter(now)) { /* attempt */ breaker.record(*pass,
///     Verdict::failure, later); }
class CircuitBreaker {
 public:
  /// What an attempt was let in as. Results and abandonments bring it back, so that those of an
  /// earlier time are known.
  struct Pass {
    enum class Kind : std::uint8_t { normal, probe, forced };
    std::uint32_t epoch = 0;
    Kind kind = Kind::normal;
    bool first_probe = false;  ///< the first since it opened: half-open begins with it
  };

  explicit CircuitBreaker(const BreakerOptions& options = {}) noexcept
      : options_(options), window_(options.window) {}

  /// A pass, or nothing while open or while half-open with all probes out. Every pass is given back
  /// by exactly one record() or abandon().
  std::optional<Pass> try_enter(Time now) noexcept;

  /// Whether try_enter would give a pass.
  bool admits(Time now) const noexcept;

  /// A pass even while open, for when there is nowhere else to go. Its success closes the breaker;
  /// its failure changes nothing, so the wait neither shrinks nor grows.
  Pass enter_anyway(Time now) noexcept;

  /// Counts a result. Results of passes from before the last change of state are ignored. True: the
  /// state changed.
  bool record(Pass pass, Verdict verdict, Time now) noexcept;

  /// The same for a caller that keeps no pass: the attempt counts as begun in the present state.
  bool record(Verdict verdict, Time now) noexcept;

  /// An attempt that ended without a verdict (cancelled): its probe slot is free again, nobody is
  /// blamed.
  void abandon(Pass pass) noexcept;

  /// Somebody else has found what it stands before to be there again: an open breaker lets its
  /// probe in now. True: it was open.
  bool end_wait(Time now) noexcept;

  BreakerState state(Time now) const noexcept {
    if (!open_) return BreakerState::closed;
    return now < open_until_ ? BreakerState::open : BreakerState::half_open;
  }

  /// When probes are (or were) let in again; Time::min() while closed.
  Time retry_at() const noexcept { return open_ ? open_until_ : Time::min(); }

  /// How often it has opened, re-opening after a failed probe included.
  std::uint64_t opened() const noexcept { return opened_; }

  /// Probes that are out belong to another process.
  void reset_after_fork() noexcept { probes_ = 0, ++epoch_; }

 private:
  bool should_trip(Time now) const noexcept;
  void open(Time now) noexcept;
  void close(Time now) noexcept;
  bool stayed_well(Time now) const noexcept;

  // What a pick looks at comes first: with thousands of nodes it costs one cache line.
  bool open_ = false;        // open or half-open; which of the two is a matter of time
  bool probed_ = false;      // since it opened
  std::uint32_t epoch_ = 0;  // counts changes of state
  int probes_ = 0;
  int consecutive_ = 0;
  Time open_until_ = Time::min();
  Time closed_at_ = Time::min();
  Duration open_for_{};  // the last open time, from which the next one grows
  std::uint64_t opened_ = 0;
  BreakerOptions options_;
  SlidingWindow window_;
};

inline bool CircuitBreaker::admits(Time now) const noexcept {
  if (!open_) return true;
  return now >= open_until_ && probes_ < options_.half_open_probes;
}

inline std::optional<CircuitBreaker::Pass> CircuitBreaker::try_enter(Time now) noexcept {
  if (!admits(now)) return std::nullopt;
  if (!open_) return Pass{epoch_, Pass::Kind::normal, false};
  ++probes_;
  return Pass{epoch_, Pass::Kind::probe, !std::exchange(probed_, true)};
}

inline CircuitBreaker::Pass CircuitBreaker::enter_anyway(Time now) noexcept {
  return try_enter(now).value_or(Pass{epoch_, Pass::Kind::forced, false});
}

inline bool CircuitBreaker::record(Pass pass, Verdict verdict, Time now) noexcept {
  if (pass.epoch != epoch_) return false;
  if (pass.kind == Pass::Kind::probe) --probes_;
  if (open_) {
    if (verdict == Verdict::success) return close(now), true;
    if (pass.kind == Pass::Kind::probe) return open(now), true;
    return false;
  }
  window_.add(verdict == Verdict::failure, Duration{}, now);
  consecutive_ = verdict == Verdict::failure ? consecutive_ + 1 : 0;
  if (verdict == Verdict::success || !should_trip(now)) return false;
  return open(now), true;
}

inline bool CircuitBreaker::record(Verdict verdict, Time now) noexcept {
  using Kind = Pass::Kind;
  const Kind outside = open_ ? Kind::forced : Kind::normal;
  return record(Pass{epoch_, probes_ > 0 ? Kind::probe : outside, false}, verdict, now);
}

inline void CircuitBreaker::abandon(Pass pass) noexcept {
  if (pass.epoch == epoch_ && pass.kind == Pass::Kind::probe) --probes_;
}

inline bool CircuitBreaker::end_wait(Time now) noexcept {
  if (state(now) != BreakerState::open) return false;
  open_until_ = now;
  return true;
}

inline bool CircuitBreaker::should_trip(Time now) const noexcept {
  if (options_.consecutive_failures > 0 && consecutive_ >= options_.consecutive_failures)
    return true;
  if (options_.failure_rate <= 0) return false;
  const SlidingWindow::Totals seen = window_.totals(now);
  return seen.count >= static_cast<std::uint32_t>(std::max(options_.min_requests, 2)) &&
         seen.failure_rate() >= options_.failure_rate;
}

/// Closed for as long as it was last open, and a window: the trouble is over, the next one starts
/// small again.
inline bool CircuitBreaker::stayed_well(Time now) const noexcept {
  return !open_ && now - closed_at_ >= std::max(open_for_, options_.window);
}

inline void CircuitBreaker::open(Time now) noexcept {
  const bool first = opened_ == 0 || stayed_well(now);
  open_for_ = std::min(first ? options_.open : open_for_ * 2, options_.max_open);
  open_ = true;
  open_until_ = after(now, open_for_);
  ++opened_;
  ++epoch_;
  probes_ = 0;
  probed_ = false;
}

inline void CircuitBreaker::close(Time now) noexcept {
  open_ = false;
  closed_at_ = now;
  consecutive_ = 0;
  probes_ = 0;
  window_.clear();
  ++epoch_;
}

}  // namespace llmroute

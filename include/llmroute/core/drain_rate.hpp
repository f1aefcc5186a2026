/// How fast a line moves: what those who ask to join it are told. Time in which nobody waited does
/// not count, else a line that has just formed would be taken for one that hardly moves.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <llmroute/core/sliding_window.hpp>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

/// Over the last minute. Not thread safe.
class DrainRate {
 public:
  static constexpr std::uint32_t enough_turns = 4;  ///< fewer say nothing

  /// Somebody waits from now on; nobody did before.
  void line_formed(Time now) noexcept { last_ = now; }

  /// Somebody's turn has come. Loops read their clocks one after the other: `now` may lie a little
  /// before the last turn.
  void turn(Time now) noexcept {
    turns_.add(false, std::max(now - last_, Duration{}), now);
    last_ = std::max(now, last_);
  }

  /// How long so many turns take; empty when too few were taken to say. With `waiting`, what has
  /// gone by since the last one counts: a line that stands still is not fast.
  std::optional<Duration> time_for(std::size_t turns, bool waiting, Time now) const noexcept {
    const SlidingWindow::Totals taken = turns_.totals(now);
    if (taken.count < enough_turns) return std::nullopt;
    const double since = waiting ? std::max(seconds(now - last_), 0.0) : 0;
    const double wait = static_cast<double>(turns) * (taken.seconds + since) / taken.count;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait));
  }

 private:
  SlidingWindow turns_{std::chrono::seconds(60)};  // each with the time since the one before it
  Time last_{};
};

}  // namespace llmroute

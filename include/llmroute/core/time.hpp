/// The clock every moment in llmroute is on. Policies never read it: the event loop does, once an
/// event, and hands the moment down, so that one decision sees one time and tests and simulations
/// turn the clock by hand.
#pragma once

#include <chrono>

namespace llmroute {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

/// A moment that never comes: no deadline.
inline constexpr Time never = Time::max();

/// `now + wait`, or never where that would overflow.
constexpr Time after(Time now, Duration wait) noexcept {
  return wait >= never - now ? never : now + wait;
}

/// Seconds as a number, for averages and messages.
constexpr double seconds(Duration d) noexcept { return std::chrono::duration<double>(d).count(); }

}  // namespace llmroute

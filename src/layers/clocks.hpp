/// The earliest of several clocks: a read waits for one moment, and what its passing means is asked
/// afterwards.
#pragma once

#include <llmroute/core/failure.hpp>
#include <llmroute/core/time.hpp>
#include <string_view>

#include "layers/failure.hpp"

namespace llmroute::detail {

class Clocks {
 public:
  /// The clock of the attempt as a whole; zero is off, as everywhere here.
  Clocks(Time started, Duration attempt_limit) noexcept {
    add(FailureKind::timeout_attempt, "end of the attempt", started, attempt_limit);
  }

  /// `limit` from `from` on; `awaited` names for the message what would have stopped it.
  void add(FailureKind kind, std::string_view awaited, Time from, Duration limit) noexcept {
    if (limit <= Duration::zero() || after(from, limit) >= until_) return;
    until_ = after(from, limit);
    kind_ = kind;
    awaited_ = awaited;
    limit_ = limit;
  }

  Time until() const noexcept { return until_; }
  AttemptFailure expired() const { return timeout_failure(kind_, awaited_, limit_); }

 private:
  Time until_ = never;
  FailureKind kind_ = FailureKind::timeout_attempt;
  std::string_view awaited_{};
  Duration limit_{};
};

}  // namespace llmroute::detail

/// The wait of a blocking call or of a stream's reader: turns the borrowed loop on the caller's
/// thread, and asks the caller from time to time whether to go on.
#pragma once

#include <chrono>
#include <llmroute/net/event_loop.hpp>

#include "router/call_root.hpp"

namespace llmroute::detail {

class Wait {
 public:
  Wait(EventLoop& loop, CallRoot& root) noexcept
      : loop_(loop),
        root_(root),
        interrupted_(root.state().request.options.interrupted),
        ask_at_(interrupted_ ? after(loop.now(), pause) : never) {}

  /// Lets the loop do what is ready, after waiting for it. Ends the call when the caller wants
  /// that.
  void turn() {
    if (ask_at_ == never) return loop_.run_for(std::chrono::hours(1));
    loop_.run_for(std::max(ask_at_ - loop_.now(), Duration::zero()));
    if (loop_.now() >= ask_at_) ask();
  }

 private:
  void ask() {
    ask_at_ = after(loop_.now(), pause);
    if (!root_.finished() && interrupted_()) root_.end(Ending::cancelled);
  }

  static constexpr Duration pause = std::chrono::milliseconds(50);

  EventLoop& loop_;
  CallRoot& root_;
  const std::function<bool()>& interrupted_;
  Time ask_at_;
};

}  // namespace llmroute::detail

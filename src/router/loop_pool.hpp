/// The loops blocking calls borrow: a call takes an idle one, turns it on its own thread, and gives
/// it back with its connections open. Last in, first out, so that a quiet process keeps few loops
/// warm.
#pragma once

#include <llmroute/net/event_loop.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "router/loop_state.hpp"

namespace llmroute::detail {

class RouterCore;

/// A loop with what the router keeps for it.
struct WorkerLoop {
  explicit WorkerLoop(RouterCore& core);

  EventLoop loop;
  LoopState state;
  Time idle_since{};
};

class LoopPool {
 public:
  /// An idle loop, or a new one. Any thread. Throws std::system_error when the process is out of
  /// descriptors.
  std::unique_ptr<WorkerLoop> take(RouterCore& core);

  /// Keeps the loop for the next call, or closes it when enough are idle. Any thread.
  void give(std::unique_ptr<WorkerLoop> worker) noexcept;

  /// Closes what has been idle for `idle_limit`. Any thread.
  void close_stale(Time now);

  static constexpr Duration idle_limit = std::chrono::seconds(10);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<WorkerLoop>> idle_;  // the warmest last
};

}  // namespace llmroute::detail

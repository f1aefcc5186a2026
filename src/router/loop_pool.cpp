#include "router/loop_pool.hpp"

#include <algorithm>
#include <iterator>
#include <thread>

#include "router/router_core.hpp"

namespace llmroute::detail {

WorkerLoop::WorkerLoop(RouterCore& core) : state(core) { loop.core().borrow(true); }

std::unique_ptr<WorkerLoop> LoopPool::take(RouterCore& core) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<WorkerLoop> worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  return std::make_unique<WorkerLoop>(core);
}

void LoopPool::give(std::unique_ptr<WorkerLoop> worker) noexcept {
  if (worker->loop.core().forked()) return;  // the parent's: it may only be destroyed
  static const std::size_t most =
      std::size_t{2} * std::max(1u, std::thread::hardware_concurrency());
  const Time now = worker->loop.now();
  worker->idle_since = now;
  try {
    {
      const std::lock_guard lock(mutex_);
      if (idle_.size() < most) idle_.push_back(std::move(worker));
    }
    close_stale(now);
  } catch (const std::bad_alloc&) {  // then this loop is closed, or others are closed later
  }
}

void LoopPool::close_stale(Time now) {
  std::vector<std::unique_ptr<WorkerLoop>>
      stale;  // closed outside the lock: sockets take their time
  const std::lock_guard lock(mutex_);
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const auto& worker) {
    return now - worker->idle_since < idle_limit;
  });
  std::move(idle_.begin(), fresh, std::back_inserter(stale));
  idle_.erase(idle_.begin(), fresh);
}

}  // namespace llmroute::detail

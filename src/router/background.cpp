#include "router/background.hpp"

#include <new>

#include "router/router_core.hpp"

namespace llmroute::detail {

Background::Background(RouterCore& core) : shared_(std::make_shared<Shared>(core)) {
  shared_->worker.loop.core().borrow(true);
  thread_ = std::thread(&Background::turn, shared_);
}

void Background::turn(const std::shared_ptr<Shared>& shared) {
  while (!shared->stop.load(std::memory_order_acquire)) {
    shared->worker.loop.run_for(std::chrono::hours(1));
  }
}

Background::~Background() {
  if (!thread_.joinable()) return;
  if (shared_->worker.loop.core().forked()) {
    abandon();
    return;
  }
  shared_->worker.loop.core().post(*shared_, shared_);
  if (thread_.get_id() == std::this_thread::get_id()) {
    if (shared_->keeper) shared_->keeper->stop();
    thread_.detach();  // it holds what it runs on
  } else {
    thread_.join();
  }
}

void Background::Shared::run() {
  keeper.reset();
  worker.state.end_all(Ending::shutting_down);
  stop.store(true, std::memory_order_release);
}

/// Its handle is overwritten: what it names may be a thread of the child's by now, and is not to be
/// joined or detached. What the thread had is the thread's, which nobody ends; but connections that
/// stayed open here would keep a node from noticing that the parent has closed them.
void Background::abandon() noexcept {
  if (!thread_.joinable()) return;
  new (&thread_) std::thread;
  shared_->worker.loop.core().close_connections();
}

}  // namespace llmroute::detail

#include "router/async_call.hpp"

#include "router/no_memory.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

void CallHandle::CallbackSink::head(const StreamHead& head) {
  if (callbacks_.on_head) callbacks_.on_head(head);
}

bool CallHandle::CallbackSink::offer(const Event& event) {
  const std::uint64_t number = offered_.load(std::memory_order_relaxed) + 1;
  offered_.store(number, std::memory_order_release);
  if (callbacks_.on_event(event) == Taken::done) return true;
  return drained_.load(std::memory_order_acquire) == number;  // before on_event had said "kept"
}

void CallHandle::CallbackSink::note_drained() noexcept {
  drained_.store(offered_.load(std::memory_order_acquire), std::memory_order_release);
}

/// A note of an event that was not kept must not let go of the one that is kept now.
void CallHandle::CallbackSink::follow_note() noexcept {
  const std::uint64_t noted = drained_.load(std::memory_order_acquire);
  if (noted == offered_.load(std::memory_order_relaxed)) drained();
}

CallHandle::CallHandle(std::shared_ptr<RouterCore> core, EventLoop& loop, const Request& request,
                       Callbacks callbacks)
    : core_(std::move(core)),
      loop_(loop),
      request_(request),
      callbacks_(std::move(callbacks)),
      sink_(loop.core(), callbacks_) {}

void CallHandle::start(LoopState& state) {
  Sink* sink = callbacks_.on_event ? &sink_ : nullptr;
  arm_later(never);  // has its place from here on: at the end nothing may be missing
  root_.emplace(*this, core_, state, loop_.core(), request_.get(), sink);
  self_ = shared_from_this();
  starting_ = true;
  root_->start();
  starting_ = false;
}

void CallHandle::start_or_fail(LoopState& state) noexcept {
  try {
    start(state);
  } catch (const std::bad_alloc&) {
    later_.disarm();
    give(out_of_memory());
  }
}

void CallHandle::arm_later(Time at) {
  later_.arm(
      loop_.core(), at, [](void* self) { static_cast<CallHandle*>(self)->deliver(); }, this);
}

void CallHandle::on_end() {
  if (starting_) return arm_later(loop_.now());
  later_.disarm();
  deliver();
}

void CallHandle::deliver() {
  const std::shared_ptr<CallHandle> keep = std::move(self_);
  Result<Reply> result = root_->take_result();
  give(std::move(result));
}

void CallHandle::give(Result<Reply> result) {
  Callbacks callbacks = std::move(callbacks_);  // what they captured goes when they are done
  root_.reset();
  if (callbacks.on_done) callbacks.on_done(std::move(result));
  callbacks = {};
  core_.reset();
  done_.store(true, std::memory_order_release);
  done_.notify_all();
}

void CallHandle::wait() const noexcept {
  if (done() || loop_.core().forked()) return;
  done_.wait(false, std::memory_order_acquire);
}

/// In a forked child the loop is the parent's: its locks may be held, and nobody turns it.
void CallHandle::cancel() {
  if (done() || loop_.core().forked()) return;
  loop_.core().post(cancelling_, shared_from_this());
}

void CallHandle::drained() {
  if (done() || loop_.core().forked()) return;
  sink_.note_drained();
  if (loop_.core().on_loop_thread()) return sink_.follow_note();
  loop_.core().post(draining_, shared_from_this());
}

void CallHandle::Cancelling::run() {
  if (handle_.root_) handle_.root_->end(Ending::cancelled);
}

void CallHandle::Draining::run() { handle_.sink_.follow_note(); }

}  // namespace llmroute::detail

#include "router/async_call.hpp"

#include "router/router_core.hpp"

namespace llmroute::detail {

void CallHandle::CallbackSink::head(const StreamHead& head) {
  if (callbacks_.on_head) callbacks_.on_head(head);
}

bool CallHandle::CallbackSink::offer(const Event& event) {
  return callbacks_.on_event(event) == Taken::done;
}

CallHandle::CallHandle(std::shared_ptr<RouterCore> core, EventLoop& loop, const Request& request,
                       Callbacks callbacks)
    : core_(std::move(core)),
      loop_(loop),
      request_(request),
      callbacks_(std::move(callbacks)),
      sink_(loop.core(), callbacks_) {}

void CallHandle::start(LoopState& state) {
  self_ = shared_from_this();
  Sink* sink = callbacks_.on_event ? &sink_ : nullptr;
  root_.emplace(*this, core_, state, loop_.core(), request_.get(), sink);
  starting_ = true;
  root_->start();
  starting_ = false;
}

void CallHandle::on_end() {
  if (!starting_) return deliver();
  later_.arm(
      loop_.core(), loop_.now(), [](void* self) { static_cast<CallHandle*>(self)->deliver(); },
      this);
}

void CallHandle::deliver() {
  const std::shared_ptr<CallHandle> keep = std::move(self_);
  Result<Reply> result = root_->take_result();
  Callbacks callbacks = std::move(callbacks_);  // what they captured goes when they are done
  root_.reset();
  if (callbacks.on_done) callbacks.on_done(std::move(result));
  callbacks = {};
  core_.reset();
  done_.store(true, std::memory_order_release);
  done_.notify_all();
}

void CallHandle::cancel() {
  if (done()) return;
  loop_.post([self = shared_from_this()] {
    if (self->root_) self->root_->end(Ending::cancelled);
  });
}

void CallHandle::drained() {
  if (done()) return;
  if (loop_.core().on_loop_thread()) return sink_.drained();
  loop_.post([self = shared_from_this()] { self->sink_.drained(); });
}

}  // namespace llmroute::detail

#include "router/turn.hpp"

namespace llmroute::detail {

Turn::Turn(CallState& call)
    : bell_(std::make_shared<Bell>(call.loop)),
      waiter_(&Turn::granted, bell_.get(), call.request.options.tenant,
              call.request.options.priority, call.pick.model, call.tried) {}

Turn::~Turn() { waiter_.leave(); }

void Turn::granted(void* context) {
  auto* bell = static_cast<Bell*>(context);
  bell->loop.post(*bell, bell->shared_from_this());
}

void Turn::Bell::run() {
  rung = true;
  if (sleeper != nullptr) loop.wake(*sleeper);
}

void Turn::Wait::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  turn_.bell_->sleeper = &waiter_;
  net::Loop& loop = turn_.bell_->loop;
  timer_.arm(
      loop, deadline_,
      [](void* self) {
        auto* wait = static_cast<Wait*>(self);
        wait->turn_.bell_->loop.wake(wait->waiter_);
      },
      this);
}

}  // namespace llmroute::detail

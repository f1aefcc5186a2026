#include "loop.hpp"

#include "boundary.hpp"
#include "call.hpp"

namespace capi = llmroute::capi;

using capi::Use;
using llmroute::Result;

namespace {

/// Whoever waits for a call on the loop hears of its end.
void end_calls(capi::OwnLoop& ending) {
  do {
    if (!ending.running.empty()) ending.running.front()->cancel();
    ending.loop.run_for(llmroute::Duration::zero());
  } while (!ending.running.empty());
}

}  // namespace

void llmroute_loop::release() noexcept {
  if (!own->forked()) end_calls(*own);
  own.reset();
}

namespace {

/// `turn(loop)` unless a turn is under way.
template <class F>
llmroute_status in_turn(llmroute_loop* handle, F&& turn) noexcept {
  return capi::guarded([&]() -> Result<void> {
    const Use used(handle);
    if (!used) return capi::not_usable("loop");
    if (used->own->forked())
      return capi::refusal(llmroute::ErrorCode::forked, "loop", capi::of_parent);
    const capi::Turn alone(used->turning);
    if (!alone) return capi::misuse("loop", "is being turned already");
    turn(used->own->loop);
    return {};
  });
}

}  // namespace

extern "C" {

llmroute_status llmroute_loop_new(llmroute_loop** loop_out, llmroute_error** error_out) {
  if (loop_out != nullptr) *loop_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    if (loop_out == nullptr) return capi::not_usable("loop_out");
    *loop_out = new llmroute_loop();
    return {};
  });
}

void llmroute_loop_free(llmroute_loop* loop) { capi::free_handle(loop); }

int32_t llmroute_loop_fd(llmroute_loop* loop) {
  const Use used(loop);
  return used && !used->own->forked() ? used->own->loop.fd() : -1;
}

llmroute_status llmroute_loop_run_ready(llmroute_loop* loop) {
  return in_turn(loop, [](llmroute::EventLoop& on) { on.run_ready(); });
}

llmroute_status llmroute_loop_run_for(llmroute_loop* loop, uint32_t timeout_ms) {
  return in_turn(
      loop, [&](llmroute::EventLoop& on) { on.run_for(std::chrono::milliseconds(timeout_ms)); });
}

llmroute_status llmroute_loop_post(llmroute_loop* loop, void (*work)(void* user_data),
                                   void* user_data) {
  return capi::guarded([&]() -> Result<void> {
    const Use used(loop);
    if (!used) return capi::not_usable("loop");
    if (work == nullptr) return capi::not_usable("work");
    if (used->own->forked())
      return capi::refusal(llmroute::ErrorCode::forked, "loop", capi::of_parent);
    used->own->loop.post([work, user_data] {
      const capi::InCallback inside;
      work(user_data);
    });
    return {};
  });
}

}  // extern "C"

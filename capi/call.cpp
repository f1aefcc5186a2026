#include "call.hpp"

#include <unistd.h>

#include <algorithm>

#include "boundary.hpp"
#include "event.hpp"
#include "headers.hpp"
#include "reply.hpp"
#include "request.hpp"
#include "router.hpp"

namespace capi = llmroute::capi;

using capi::Use;
using llmroute::Result;

struct llmroute_call final : capi::Handle {
  static constexpr auto kind = capi::Kind::call;
  explicit llmroute_call(std::shared_ptr<capi::Listener> to) noexcept
      : Handle(kind), listener(std::move(to)) {}
  void release() noexcept override {
    listener->detach();
    listener.reset();
  }

  std::shared_ptr<capi::Listener> listener;
};

struct llmroute_head {
  const llmroute::StreamHead& head;
};

namespace llmroute::capi {

Listener::Listener(const llmroute_callbacks& functions, std::shared_ptr<OwnLoop> loop) noexcept
    : functions_(functions), loop_(std::move(loop)), process_(::getpid()) {}

bool Listener::forked() const noexcept { return process_ != ::getpid(); }

Callbacks Listener::callbacks() {
  const auto self = shared_from_this();
  Callbacks callbacks{.on_done = [self](Result<Reply> r) { self->on_done(std::move(r)); }};
  if (functions_.on_event == nullptr) return callbacks;
  callbacks.on_event = [self](const Event& event) { return self->on_event(event); };
  if (functions_.on_head == nullptr) return callbacks;
  callbacks.on_head = [self](const StreamHead& head) { self->on_head(head); };
  return callbacks;
}

void Listener::cancel() noexcept {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  call_.cancel();
}

void Listener::drained() noexcept {
  const std::lock_guard lock(mutex_);
  call_.drained();
}

void Listener::detach() noexcept {
  Call call;
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  call = std::move(call_);
}

void Listener::on_head(const StreamHead& head) {
  if (cancelled_) return;
  const InCallback inside;
  const llmroute_head seen{head};
  if (functions_.on_head(functions_.user_data, &seen) != 0) stop();
}

Taken Listener::on_event(const Event& event) {
  if (cancelled_) {
    cut_short_ = true;
    return Taken::done;
  }
  const InCallback inside;
  const llmroute_event seen = event_out(event);
  const std::int32_t said = functions_.on_event(functions_.user_data, &seen);
  if (said == LLMROUTE_KEEP) return Taken::kept;
  if (said != 0) stop();
  return Taken::done;
}

void Listener::stop() noexcept {
  cut_short_ = true;
  cancel();
}

namespace {

/// The end of a call whose rest had arrived already when it was cancelled.
Error cancelled(Reply&& reply) {
  return {.code = ErrorCode::cancelled,
          .message = "cancelled by the caller",
          .node = std::move(reply.node),
          .attempts = std::move(reply.attempts),
          .usage = reply.usage,
          .request_id = std::move(reply.request_id)};
}

}  // namespace

void Listener::on_done(Result<Reply> result) {
  llmroute_reply* reply = nullptr;
  llmroute_error* error = nullptr;
  llmroute_status status = LLMROUTE_OK;
  if (result && cut_short_) result = cancelled(std::move(*result));
  if (!result) {
    status = give(&error, std::move(result).error());
  } else {
    reply = new (std::nothrow) llmroute_reply(std::move(*result));
    if (reply == nullptr) error = error_without_memory(), status = LLMROUTE_INTERNAL;
  }
  if (loop_) std::erase(loop_->running, this);
  {
    const InCallback inside;
    functions_.on_done(functions_.user_data, status, reply, error);
  }
  done_.store(true, std::memory_order_release);
  done_.notify_all();
}

namespace {

/// `begin(request, callbacks)` gives the call; all of it is checked before.
template <class Begin>
Result<void> start(llmroute_router& router, std::shared_ptr<OwnLoop> loop, const char* json,
                   std::size_t len, const llmroute_call_options* options,
                   const llmroute_callbacks* given, llmroute_call** call_out, Begin&& begin) {
  if (call_out == nullptr) return not_usable("call_out");
  const Result<Request> request = request_in(json, len, options);
  if (!request) return request.error();
  const Result<llmroute_callbacks> functions = struct_in(given, "callbacks");
  if (!functions) return functions.error();
  if (functions->on_done == nullptr) return not_usable("callbacks.on_done");
  const auto listener = std::make_shared<Listener>(*functions, std::move(loop));
  auto handle = std::make_unique<llmroute_call>(listener);
  router.settle();
  *call_out = handle.get();  // now, as the first callback may come at once and want it
  try {
    listener->attach([&] { return begin(*request, *listener); });
  } catch (...) {
    *call_out = nullptr;
    throw;
  }
  static_cast<void>(handle.release());
  return {};
}

/// `act(listener)` on the call's listener, which lives on when the call is freed meanwhile.
template <class F>
llmroute_status with_listener(llmroute_call* handle, F&& act) noexcept {
  return guarded([&]() -> Result<void> {
    std::shared_ptr<Listener> listener;
    if (const Use used(handle); used) listener = used->listener;
    if (!listener) return not_usable("call");
    return act(*listener);
  });
}

}  // namespace

}  // namespace llmroute::capi

extern "C" {

llmroute_status llmroute_call_start(llmroute_router* router, const char* request_json,
                                    size_t request_len, const llmroute_call_options* options,
                                    const llmroute_callbacks* callbacks, llmroute_call** call_out,
                                    llmroute_error** error_out) {
  if (call_out != nullptr) *call_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    return capi::start(*router, nullptr, request_json, request_len, options, callbacks, call_out,
                       [&](const llmroute::Request& request, capi::Listener& listener) {
                         return used->router->start(request, listener.callbacks());
                       });
  });
}

llmroute_status llmroute_call_start_on(llmroute_router* router, llmroute_loop* loop,
                                       const char* request_json, size_t request_len,
                                       const llmroute_call_options* options,
                                       const llmroute_callbacks* callbacks,
                                       llmroute_call** call_out, llmroute_error** error_out) {
  if (call_out != nullptr) *call_out = nullptr;
  return capi::guarded(error_out, [&]() -> Result<void> {
    const Use used(router);
    if (!used) return capi::not_usable("router");
    const Use on(loop);
    if (!on) return capi::not_usable("loop");
    capi::OwnLoop& own = *on->own;
    if (own.forked()) return capi::refusal(llmroute::ErrorCode::forked, "loop", capi::of_parent);
    if (capi::InChoice::now()) return capi::misuse("loop", "a choice between nodes is under way");
    const capi::Turn busy(on->turning);  // in a turn it is set already, and stays so
    return capi::start(*router, on->own, request_json, request_len, options, callbacks, call_out,
                       [&](const llmroute::Request& request, capi::Listener& listener) {
                         own.running.reserve(own.running.size() + 1);
                         llmroute::Call call =
                             used->router->run_on(own.loop, request, listener.callbacks());
                         own.running.push_back(&listener);
                         return call;
                       });
  });
}

llmroute_status llmroute_call_cancel(llmroute_call* call) {
  return capi::with_listener(call, [](capi::Listener& listener) -> Result<void> {
    listener.cancel();
    return {};
  });
}

llmroute_status llmroute_call_drained(llmroute_call* call) {
  return capi::with_listener(call, [](capi::Listener& listener) -> Result<void> {
    listener.drained();
    return {};
  });
}

llmroute_status llmroute_call_wait(llmroute_call* call) {
  return capi::with_listener(call, [](capi::Listener& listener) -> Result<void> {
    if (listener.done()) return {};
    if (!listener.waitable()) return capi::misuse("call", "is on a loop: turn that");
    if (listener.forked())
      return capi::refusal(llmroute::ErrorCode::forked, "call", capi::of_parent);
    if (capi::InCallback::now()) return capi::misuse("call", "waited for from inside a callback");
    listener.wait();
    return {};
  });
}

void llmroute_call_free(llmroute_call* call) { capi::free_handle(call); }

int32_t llmroute_head_http_status(const llmroute_head* head) {
  return head == nullptr ? 0 : head->head.http_status;
}

int32_t llmroute_head_attempts(const llmroute_head* head) {
  return head == nullptr ? 0 : head->head.attempts;
}

const char* llmroute_head_node(const llmroute_head* head, size_t* len) {
  return capi::text_out(head == nullptr ? std::string_view{} : head->head.node, len);
}

const char* llmroute_head_request_id(const llmroute_head* head, size_t* len) {
  return capi::text_out(head == nullptr ? std::string_view{} : head->head.request_id, len);
}

const llmroute_headers* llmroute_head_headers(const llmroute_head* head) {
  return head == nullptr ? nullptr : capi::headers_out(head->head.headers);
}

}  // extern "C"

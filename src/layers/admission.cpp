#include "layers/admission.hpp"

#include <fmt/format.h>

#include "router/router_core.hpp"
#include "router/turn.hpp"

namespace llmroute::detail {

namespace {

Error refused(CallState& call, ErrorCode code, std::string message) {
  Error error = call.fail(code, std::move(message));
  error.retry_after = call.core.queue().retry_after(call.loop.now());
  return error;
}

net::Task<Result<Reply>> wait_in_line(CallState& call, Next next) {
  AdmissionQueue& queue = call.core.queue();
  const Duration limit = call.core.config().backpressure.queue_timeout;
  const Time until = after(call.loop.now(), limit);
  {
    Turn turn(call);
    if (!queue.enqueue(turn.waiter(), call.loop.now())) {
      co_return refused(call, ErrorCode::queue_full,
                        fmt::format("{} calls run and {} wait: max_queue_size is reached",
                                    queue.in_use(), queue.depth()));
    }
    while (!call.permit) {
      Turn::Wait wait(turn, until);
      const bool rung = co_await wait;
      call.permit = turn.waiter().claim(call.loop.now());
      if (!call.permit && !rung) {
        co_return refused(
            call, ErrorCode::queue_timeout,
            fmt::format("waited {:.3g} s in the queue: queue_timeout", seconds(limit)));
      }
    }
  }
  Result<Reply> result = co_await next(call);
  co_return result;
}

}  // namespace

net::Task<Result<Reply>> AdmissionLayer::handle(CallState& call, Next next) {
  call.permit = call.core.queue().try_enter();
  return call.permit ? next(call) : wait_in_line(call, next);
}

}  // namespace llmroute::detail

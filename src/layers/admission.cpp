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

/// It would be dead before its turn.
std::optional<Error> too_late(CallState& call, Turn& turn) {
  const Time now = call.loop.now();
  const std::optional<Duration> wait = call.core.queue().expected_wait(turn.waiter(), now);
  if (!wait || after(now, *wait) <= call.deadline) return std::nullopt;
  return refused(call, ErrorCode::queue_full,
                 fmt::format("the wait is about {:.3g} s, and the deadline is in {:.3g} s",
                             seconds(*wait), seconds(call.deadline - now)));
}

std::optional<Error> line_up(CallState& call, Turn& turn) {
  AdmissionQueue& queue = call.core.queue();
  if (std::optional<Error> error = too_late(call, turn)) return error;
  if (queue.enqueue(turn.waiter(), call.loop.now())) return std::nullopt;
  return refused(call, ErrorCode::queue_full,
                 fmt::format("{} calls run and {} wait: max_queue_size is reached", queue.in_use(),
                             queue.depth()));
}

/// Why it waits no longer, without a permit.
Error given_up(CallState& call, Turn& turn, Duration limit) {
  if (turn.waiter().shed())
    return refused(call, ErrorCode::queue_full,
                   "the queue is full, and its place went to a call that comes first");
  return refused(call, ErrorCode::queue_timeout,
                 fmt::format("waited {:.3g} s in the queue: queue_timeout", seconds(limit)));
}

net::Task<Result<Reply>> wait_in_line(CallState& call, Next next) {
  const Duration limit = call.config().backpressure.queue_timeout;
  const Time until = after(call.loop.now(), limit);
  {
    Turn turn(call);
    std::optional<Error> error = line_up(call, turn);
    if (error) co_return std::move(*error);
    while (!call.permit) {
      Turn::Wait wait(turn, until);
      const bool rung = co_await wait;
      call.permit = turn.waiter().claim(call.loop.now());
      if (!call.permit && !rung) co_return given_up(call, turn, limit);
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

// A stream from its first content to its end. Nothing is retried here: the caller has begun to read
// this answer, so what breaks now ends the call with an error that carries what was delivered.
#include <fmt/format.h>

#include "layers/clocks.hpp"
#include "layers/forward.hpp"
#include "layers/open_attempt.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

enum class Step { more, kept, whole, broken };

Step deliver(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event,
             const wire::ChunkView& chunk) {
  note_content(call, chunk);
  return offer(call, attempt, as_asked(call, attempt, event, chunk)) ? Step::more : Step::kept;
}

/// One event on its way to the caller.
Step pass_on(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
             const wire::ChunkView& chunk) {
  switch (kind) {
    case EventKind::done:
      return Step::whole;
    case EventKind::failure:
      return attempt.fail(FailureKind::stream_garbled, "an error event in mid-stream"),
             Step::broken;
    case EventKind::garbage:
      return attempt.fail(FailureKind::stream_garbled, "an event that is not JSON"), Step::broken;
    case EventKind::usage:
      if (attempt.strips_usage) return Step::more;
      break;
    case EventKind::comment:
    case EventKind::preamble:
    case EventKind::content:
      break;
  }
  return deliver(call, attempt, event, chunk);
}

Result<Reply> whole(CallState& call, OpenAttempt& attempt) {
  call.usage = attempt.progress.usage();
  attempt.ticket.succeed(attempt.transfer.status(), call.usage);
  attempt.transfer.finish_early();
  return call.reply(attempt.transfer.status(), attempt.transfer.take_headers(), {});
}

Error interrupted(CallState& call, const OpenAttempt& attempt) {
  call.usage = attempt.progress.usage();
  Error error = call.fail(ErrorCode::stream_interrupted,
                          fmt::format("the stream from {} broke after {} bytes of text: {}",
                                      attempt.ticket.node().config().name, call.partial.size(),
                                      attempt.failure->reason));
  error.body = attempt.failure->body;
  return error;
}

}  // namespace

net::Task<Result<Reply>> pump(CallState& call, Opened attempt) {
  for (const HeldEvent& held : attempt->held) {
    const wire::SseEvent event{.data = held.data_in_raw(), .raw = held.raw};
    const wire::ChunkView chunk = wire::read_chunk(event.data);
    if (deliver(call, *attempt, event, chunk) == Step::kept) {
      Drained drained(*call.sink);
      co_await drained;
    }
  }
  attempt->held.clear();
  const TimeoutsConfig& timeouts = call.core.config().timeouts;
  Step step =
      pass_on(call, *attempt, attempt->first.event, attempt->first.kind, attempt->first.chunk);
  for (bool open = true; step == Step::more || step == Step::kept;) {
    if (step == Step::kept) {
      Drained drained(*call.sink);
      co_await drained;
    }
    if (std::optional<wire::SseEvent> event = attempt->parser.next()) {
      wire::ChunkView chunk{};
      const EventKind kind = attempt->progress.take(*event, chunk);
      step = pass_on(call, *attempt, *event, kind, chunk);
      continue;
    }
    step = Step::more;
    if (attempt->parser.too_large()) {
      attempt->fail(FailureKind::stream_garbled, "an event beyond max_event");
      step = Step::broken;
    } else if (!open) {  // the rest has been read: was that an end?
      step = attempt->progress.complete() ? Step::whole : Step::broken;
      if (step == Step::broken) attempt->fail(FailureKind::stream_cut, attempt->end_reason);
    } else {
      Clocks clocks(attempt->ticket.started(), timeouts.attempt);
      clocks.add(FailureKind::stream_stalled, "event", call.loop.now(), timeouts.idle);
      const Time until = clocks.until();
      const net::Chunk chunk = co_await attempt->transfer.read(until);
      open = chunk.kind == net::Chunk::Kind::data;
      if (open) {
        attempt->parser.feed(chunk.bytes);
      } else if (chunk.kind == net::Chunk::Kind::timeout && !attempt->progress.complete()) {
        attempt->fail(clocks.expired());
        step = Step::broken;
      } else {
        attempt->note_end(chunk);
      }
    }
  }
  if (step == Step::whole) co_return whole(call, *attempt);
  co_return interrupted(call, *attempt);
}

}  // namespace llmroute::detail

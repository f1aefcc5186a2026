// A stream from its first content to its end. Nothing is retried here: the caller has begun to read
// this answer.
#include <optional>

#include "layers/clocks.hpp"
#include "layers/forward.hpp"
#include "layers/open_attempt.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

enum class Step { more, kept, whole, broken };

Step give(CallState& call, OpenAttempt& attempt, const Event& event, const wire::ChunkView& chunk) {
  note_delivered(call, event, chunk);
  if (call.rate_hold) {
    call.rate_hold->progress(call.tokens_spent(attempt.usage()), call.loop.now());
  }
  return offer(call, attempt, event) ? Step::more : Step::kept;
}

Step deliver(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
             const wire::ChunkView& chunk) {
  if (attempt.injects_ids || attempt.ticket.rung() == Rung::ids) {
    call.ledger.note_tokens(event.data, chunk);
  }
  if (attempt.seam == nullptr || kind == EventKind::comment) {
    return give(call, attempt, as_asked(call, attempt, event, chunk), chunk);
  }
  const std::optional<Event> fresh = joined(attempt, event, kind, chunk);
  if (fresh) return give(call, attempt, *fresh, wire::read_chunk(fresh->data));
  return attempt.failure ? Step::broken : Step::more;
}

/// The stream says that it is over. One that has not come as far as the first has not.
Step at_end(OpenAttempt& attempt) {
  if (attempt.seam == nullptr || attempt.seam->joined()) return Step::whole;
  attempt.fail(FailureKind::diverged, "a shorter answer than the one that broke off");
  return Step::broken;
}

/// One event on its way to the caller.
Step pass_on(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
             const wire::ChunkView& chunk) {
  switch (kind) {
    case EventKind::done:
      return at_end(attempt);
    case EventKind::failure:
      attempt.fail({.kind = FailureKind::stream_garbled,
                    .http_status = attempt.transfer.status(),
                    .reason = "an error event in mid-stream",
                    .body = std::string(event.data)});
      return Step::broken;
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
  return deliver(call, attempt, event, kind, chunk);
}

/// No event is left: more bytes, or what their end means.
Step at_rest(OpenAttempt& attempt, bool open) {
  if (attempt.parser.too_large()) {
    attempt.fail(FailureKind::stream_garbled, "an event beyond max_event");
    return Step::broken;
  }
  if (open) return Step::more;
  if (attempt.progress.complete()) return at_end(attempt);
  attempt.fail(FailureKind::stream_cut, attempt.end_reason);
  return Step::broken;
}

}  // namespace

net::Task<bool> pump(CallState& call, OpenAttempt& attempt) {
  Step step = Step::more;
  for (const HeldEvent& held : attempt.held) {
    const wire::SseEvent event{.data = held.data_in_raw(), .raw = held.raw};
    const wire::ChunkView chunk = attempt.progress.look_at(event.data);
    const EventKind kind = chunk.usage_only ? EventKind::usage : EventKind::preamble;
    step = pass_on(call, attempt, event, kind, chunk);
    if (step == Step::broken) co_return false;
    if (step == Step::kept) {
      Drained drained(*call.sink);
      co_await drained;
    }
  }
  attempt.held.clear();
  const TimeoutsConfig& timeouts = call.config().timeouts;
  step = pass_on(call, attempt, attempt.first.event, attempt.first.kind, attempt.first.chunk);
  Time last_event = call.loop.now();  // or the moment when the reader was done with it
  for (bool open = true; step == Step::more || step == Step::kept;) {
    if (step == Step::kept) {
      Drained drained(*call.sink);
      co_await drained;
      last_event = call.loop.now();
    }
    if (std::optional<wire::SseEvent> event = attempt.parser.next()) {
      wire::ChunkView chunk{};
      const EventKind kind = attempt.progress.take(*event, chunk);
      step = pass_on(call, attempt, *event, kind, chunk);
      last_event = call.loop.now();
      continue;
    }
    step = at_rest(attempt, open);
    if (step != Step::more) break;
    Clocks clocks(attempt.ticket.started(), timeouts.attempt);
    clocks.add(FailureKind::stream_stalled, "event", last_event, timeouts.idle);
    const Time until = clocks.until();
    const net::Chunk chunk = co_await attempt.transfer.read(until);
    open = chunk.kind == net::Chunk::Kind::data;
    if (open) {
      attempt.parser.feed(chunk.bytes);
    } else if (chunk.kind == net::Chunk::Kind::timeout && !attempt.progress.complete()) {
      attempt.fail(clocks.expired());
      co_return false;
    } else {
      attempt.note_end(chunk);
    }
  }
  co_return step == Step::whole;
}

Reply stream_reply(CallState& call, OpenAttempt& attempt) {
  call.usage = attempt.usage();
  attempt.ticket.succeed(attempt.transfer.status(), attempt.progress.usage());
  attempt.transfer.finish_early();
  return call.reply(attempt.transfer.status(), attempt.transfer.take_headers(), {});
}

}  // namespace llmroute::detail

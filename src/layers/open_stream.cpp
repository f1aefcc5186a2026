// A stream, up to its first content: until then any failure is a plain retry elsewhere.
#include <llmroute/wire/reply_view.hpp>

#include "layers/clocks.hpp"
#include "layers/forward.hpp"
#include "layers/open_attempt.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

constexpr std::size_t error_body_limit = 1 << 20;
/// Of events before the first content.
constexpr std::size_t most_held = 1 << 20;

/// A packed one is none: nobody asked for it, and events found in its bytes are chance.
bool is_event_stream(const Headers& headers) {
  const std::string_view type = headers.find("content-type").value_or("text/event-stream");
  const std::string_view coding = headers.find("content-encoding").value_or("identity");
  return type.substr(0, 17) == "text/event-stream" && coding == "identity";
}

/// How the body of a response that is not a stream ended. With its end `body` is what the node
/// says; part of it is not, as for a plain call.
net::Task<net::Chunk> read_whole(OpenAttempt& attempt, Time until, std::string& body) {
  for (;;) {
    const net::Chunk chunk = co_await attempt.transfer.read(until);
    if (chunk.kind != net::Chunk::Kind::data || body.size() > error_body_limit) co_return chunk;
    body.append(chunk.bytes);
  }
}

/// Status and headers are there, and promise no stream.
net::Task<AttemptFailure> why_no_stream(OpenAttempt& attempt, const Clocks& clocks) {
  const int status = attempt.transfer.status();
  std::string body;
  const net::Chunk end = co_await read_whole(attempt, clocks.until(), body);
  switch (end.kind) {
    case net::Chunk::Kind::timeout:
      co_return clocks.expired();
    case net::Chunk::Kind::failed:
      co_return failure_of(attempt.transfer.error(), status);
    case net::Chunk::Kind::data:  // more than anybody reads: the status has to do
      body.clear();
      break;
    default:
      break;
  }
  if (!is_success(status)) {
    co_return failure_of(status, attempt.transfer.take_headers(), std::move(body));
  }
  const wire::ReplyView answer = wire::read_reply(body);
  AttemptFailure failure{.http_status = status};
  if (answer.is_error) {
    failure.kind = FailureKind::error_body_in_200;
    failure.reason = "200 with an error in its body";
  } else {
    failure.kind = answer.json_ok ? FailureKind::not_streamed : FailureKind::not_json_in_200;
    failure.reason = "200 without an event stream";
  }
  failure.headers = attempt.transfer.take_headers();
  failure.body = std::move(body);
  co_return failure;
}

/// Whether an attempt is settled by an event: begun or failed.
bool settle(OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
            const wire::ChunkView& chunk) {
  switch (kind) {
    case EventKind::comment:
      return false;
    case EventKind::preamble:
    case EventKind::usage:
      attempt.held.push_back({std::string(event.data), std::string(event.raw)});
      attempt.held_bytes += event.data.size() + event.raw.size();
      if (attempt.held_bytes <= most_held) return false;
      return attempt.fail(FailureKind::stream_garbled, "events without content and no end"), true;
    case EventKind::done:
      if (attempt.progress.any_choice()) return attempt.begin(event, kind, chunk), true;
      attempt.fail(FailureKind::stream_cut, "[DONE] before any choice");
      return true;
    case EventKind::content:
      return attempt.begin(event, kind, chunk), true;
    case EventKind::failure:
      attempt.fail({.kind = FailureKind::error_body_in_200,
                    .http_status = attempt.transfer.status(),
                    .reason = "an error as the stream's first event",
                    .body = std::string(event.data)});
      return true;
    case EventKind::garbage:
      attempt.fail(FailureKind::stream_garbled, "an event that is not JSON");
      return true;
  }
  return false;
}

}  // namespace

net::Task<Opened> open_stream(CallState& call, NodeTicket ticket, Asking asking,
                              Duration first_content_limit) {
  const bool quiet = asking.quiet;
  Opened attempt = std::make_unique<OpenAttempt>(call, std::move(ticket), std::move(asking));
  const TimeoutsConfig& timeouts = call.config().timeouts;
  const Time started = attempt->ticket.started();
  Clocks head_clocks(started, timeouts.attempt);
  head_clocks.add(FailureKind::timeout_headers, "response headers", started, timeouts.headers);
  head_clocks.add(FailureKind::timeout_first_content, "first content", started,
                  first_content_limit);
  const Time head_until = head_clocks.until();
  const net::Chunk head = co_await attempt->transfer.read(head_until);
  if (head.kind == net::Chunk::Kind::timeout) {
    attempt->fail(head_clocks.expired());
    co_return attempt;
  }
  if (head.kind == net::Chunk::Kind::failed) {
    attempt->fail(failure_of(attempt->transfer.error(), attempt->transfer.status()));
    co_return attempt;
  }
  if (!is_success(attempt->transfer.status()) || !is_event_stream(attempt->transfer.headers())) {
    AttemptFailure why = co_await why_no_stream(*attempt, head_clocks);
    attempt->fail(std::move(why));
    co_return attempt;
  }
  Time last_event = call.loop.now();
  for (bool open = true;;) {
    while (std::optional<wire::SseEvent> event = attempt->parser.next()) {
      wire::ChunkView chunk{};
      const EventKind kind = attempt->progress.take(*event, chunk);
      if (settle(*attempt, *event, kind, chunk)) co_return attempt;
      if (kind == EventKind::comment && !quiet && !offer(call, *attempt, {.raw = event->raw})) {
        Drained drained(*call.sink);
        co_await drained;
      }
      last_event = call.loop.now();
    }
    if (attempt->parser.too_large()) {
      attempt->fail(FailureKind::stream_garbled, "an event beyond max_event");
      co_return attempt;
    }
    if (!open) {
      attempt->fail(FailureKind::stream_cut, attempt->end_reason);
      co_return attempt;
    }
    Clocks clocks(started, timeouts.attempt);
    clocks.add(FailureKind::timeout_first_content, "first content", started, first_content_limit);
    clocks.add(FailureKind::timeout_first_content, "event", last_event, timeouts.idle);
    const Time until = clocks.until();
    const net::Chunk chunk = co_await attempt->transfer.read(until);
    if (chunk.kind == net::Chunk::Kind::timeout) {
      attempt->fail(clocks.expired());
      co_return attempt;
    }
    open = chunk.kind == net::Chunk::Kind::data;
    if (open) {
      attempt->parser.feed(chunk.bytes);
    } else {
      attempt->note_end(chunk);
      if (chunk.kind == net::Chunk::Kind::end) {
        attempt->end_reason = "closed before the first content";
      }
    }
  }
}

}  // namespace llmroute::detail

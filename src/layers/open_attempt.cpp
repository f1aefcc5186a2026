#include "layers/open_attempt.hpp"

#include "layers/outgoing.hpp"
#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

Dialect dialect_of(const CallState& call) noexcept {
  if (call.path == "/v1/responses") return Dialect::responses;
  return call.path == "/v1/messages" ? Dialect::messages : Dialect::chunks;
}

std::string body_for(const CallState& call, const AttemptTicket& ticket, Asking& asking,
                     bool with_ids) {
  if (!asking.body.empty()) return std::move(asking.body);
  return outgoing_body(call, ticket.node().config(), ticket.model_id(), with_ids);
}

}  // namespace

OpenAttempt::OpenAttempt(CallState& call, NodeTicket node_ticket, Asking asking)
    : ticket(call, std::move(node_ticket), asking.rung),
      path(asking.path.empty() ? call.path : asking.path),
      seam(std::move(asking.seam)),
      injects_ids(seam == nullptr && wants_token_ids(call, ticket.node().config())),
      outgoing(body_for(call, ticket, asking, injects_ids)),
      transfer(call.loop,
               call.local.endpoint(ticket.node(), path, call.query(), ticket.key_index()),
               outgoing.empty() ? call.body : std::string_view(outgoing), call.upstream_headers(),
               call.stream() ? net::HttpTransfer::Mode::streamed : net::HttpTransfer::Mode::whole),
      parser(call.config().router.max_event),
      progress(dialect_of(call), call.view.choices),
      strips_usage(call.stream() && !call.view.include_usage &&
                   (asking.rung == Rung::ids || injects_usage(call, ticket.node().config()))),
      strips_running_usage(strips_usage && injects_running_usage(call, ticket.node().config())) {}

void OpenAttempt::fail(AttemptFailure what) {
  Usage usage = progress.usage();
  if (usage == Usage{}) usage.completion_tokens = progress.events();
  ticket.fail(what, usage);
  failure = std::move(what);
}

void OpenAttempt::fail(FailureKind kind, std::string reason) {
  fail({.kind = kind, .http_status = transfer.status(), .reason = std::move(reason)});
}

void OpenAttempt::begin(const wire::SseEvent& event, EventKind kind, const wire::ChunkView& chunk) {
  first = {event, kind, chunk};
  ticket.content_began();
}

void OpenAttempt::note_end(const net::Chunk& chunk) {
  end_reason = chunk.kind == net::Chunk::Kind::failed ? transfer.error().text
                                                      : "closed without finish_reason or [DONE]";
  parser.finish();
}

Usage OpenAttempt::usage() const noexcept {
  return seam == nullptr ? progress.usage() : seam->whole(progress.usage());
}

AttemptTicket::AttemptTicket(CallState& call, NodeTicket ticket, Rung rung)
    : call_(call), ticket_(std::move(ticket)), rung_(rung), started_(call.loop.now()) {
  call.at_nodes.begin(started_);
}

AttemptTicket::~AttemptTicket() {
  if (!open_) return;
  try {
    abandon();
  } catch (const std::bad_alloc&) {  // the record is lost; the node's ticket gives itself back
  }
}

void AttemptTicket::abandon() {
  if (call_.ending == Ending::deadline && first_content_) {  // it was not silent
    close(nullptr, ErrorCode::deadline_exceeded, 0, "cut by the call's deadline", {});
  } else if (call_.ending == Ending::deadline) {
    fail({.kind = FailureKind::deadline, .reason = "silent until the call's deadline"});
  } else {
    const bool outrun = call_.ending == Ending::running;
    if (outrun)
      call_.core.hedges().observe(call_.stream(), call_.loop.now() - started_);  // or more
    close(nullptr, ErrorCode::cancelled, 0, outrun ? "another node was quicker" : "cancelled", {});
  }
}

void AttemptTicket::content_began() {
  first_content_ = call_.loop.now() - started_;
  call_.core.hedges().observe(true, *first_content_);
}

void AttemptTicket::succeed(int http_status, const Usage& usage) {
  const Outcome outcome{.latency = call_.loop.now() - started_,
                        .first_content = first_content_,
                        .completion_tokens = usage.completion_tokens};
  if (!first_content_) call_.core.hedges().observe(false, outcome.latency);
  close(&outcome, std::nullopt, http_status, {}, usage);
}

void AttemptTicket::fail(const AttemptFailure& failure, const Usage& usage) {
  Outcome outcome =
      Outcome::of(failure.kind, call_.loop.now() - started_, failure.http_status != 0);
  outcome.stream = call_.stream();
  outcome.first_content = first_content_;
  if (first_content_) call_.usage = usage;
  close(&outcome, traits(failure.kind).code, failure.http_status, failure.reason, usage);
}

void AttemptTicket::close(const Outcome* outcome, std::optional<ErrorCode> error, int http_status,
                          std::string_view reason, const Usage& usage) {
  open_ = false;
  const Time now = call_.loop.now();
  call_.at_nodes.end(now);
  call_.attempts.push_back({.node = node().config().name,
                            .error = error,
                            .http_status = http_status,
                            .reason = std::string(reason),
                            .time = now - started_,
                            .rung = rung_,
                            .usage = usage,
                            .key = key_number()});
  if (call_.core.observed()) {
    call_.core.tell(AttemptEvent{.request_id = call_.request_id,
                                 .model = call_.model,
                                 .node = node().config().name,
                                 .number = static_cast<int>(call_.attempts.size()),
                                 .error = error,
                                 .http_status = http_status,
                                 .reason = reason,
                                 .time = now - started_,
                                 .first_content = first_content_,
                                 .rung = rung_,
                                 .key = key_number()});
  }
  if (outcome != nullptr) ticket_.record(*outcome, now);
}

}  // namespace llmroute::detail

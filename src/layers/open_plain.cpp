// A plain call: one node, one whole answer.
#include <llmroute/wire/json_text.hpp>

#include "layers/clocks.hpp"
#include "layers/open_attempt.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// What a whole response means: nothing when it is an answer.
std::optional<AttemptFailure> judge(const OpenAttempt& attempt, const wire::ReplyView& view,
                                    int status) {
  if (!view.json_ok) {
    return AttemptFailure{.kind = FailureKind::not_json_in_200,
                          .http_status = status,
                          .reason = "200 with a body that is not a JSON object"};
  }
  if (view.is_error) {
    return AttemptFailure{.kind = FailureKind::error_body_in_200,
                          .http_status = status,
                          .reason = "200 with an error in its body",
                          .body = attempt.answer};
  }
  return std::nullopt;
}

}  // namespace

net::Task<Opened> open_plain(CallState& call, NodeTicket ticket) {
  Opened attempt = std::make_unique<OpenAttempt>(call, std::move(ticket), Asking{});
  const TimeoutsConfig& timeouts = call.config().timeouts;
  Clocks clocks(attempt->ticket.started(), timeouts.attempt);
  clocks.add(FailureKind::timeout_response, "whole answer", attempt->ticket.started(),
             timeouts.response);
  const Time until = clocks.until();
  const net::Chunk end = co_await attempt->transfer.read(until);
  const int status = attempt->transfer.status();
  if (end.kind == net::Chunk::Kind::timeout) {
    attempt->fail(clocks.expired());
  } else if (end.kind == net::Chunk::Kind::failed) {
    attempt->fail(failure_of(attempt->transfer.error(), status));
  } else if (!is_success(status)) {
    attempt->fail(
        failure_of(status, attempt->transfer.take_headers(), attempt->transfer.take_body()));
  } else {
    attempt->answer = attempt->transfer.take_body();
    attempt->answer_view = wire::read_reply(attempt->answer);
    const wire::ReplyView& view = attempt->answer_view;
    if (std::optional<AttemptFailure> failure = judge(*attempt, view, status)) {
      attempt->fail(std::move(*failure));
    } else {
      call.usage = view.usage;
      attempt->ticket.succeed(status, view.usage);
    }
  }
  co_return attempt;
}

Reply plain_reply(CallState& call, OpenAttempt& attempt) {
  const wire::ReplyView& view = attempt.answer_view;
  if (view.model_length != 0 && attempt.ticket.model_id() != call.pick.model) {
    attempt.answer.replace(view.model_offset, view.model_length, wire::json_quote(call.pick.model));
  }
  return call.reply(attempt.transfer.status(), attempt.transfer.take_headers(),
                    std::move(attempt.answer));
}

}  // namespace llmroute::detail

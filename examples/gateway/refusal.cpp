/// From the library's errors to OpenAI's.
#include "refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <llmroute/wire/error_body.hpp>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;

/// The node refused the gateway's own key.
bool key_refused(const Error& error) {
  const int status = error.http_status;
  return status == 401 || status == 402 || status == 403 ||
         llmroute::wire::read_error_body(status, error.body).kind ==
             llmroute::wire::ErrorBody::Kind::quota;
}

/// A fixed text: what the node said may name its key.
Error without_details(const Error& error) {
  Error fixed{.code = ErrorCode::upstream_error,
              .message = "the upstream node refused the gateway's credentials"};
  fixed.attempts = error.attempts;
  return fixed;
}

/// The node's answer to a request that it, and every other node, takes for wrong.
bool node_has_the_word(const Error& error) {
  return error.http_status >= 400 && error.http_status < 500 && !error.body.empty();
}

bool wants_retry_after(int status) { return status == 429 || status == 503; }

long whole_seconds(std::optional<llmroute::Duration> wait) {
  if (!wait) return 1;
  return std::max(1L, static_cast<long>(std::ceil(llmroute::seconds(*wait))));
}

/// What a caller who goes on by itself wants to know: how much of the answer it has.
void add_progress(std::string& json, const Error& error) {
  json.insert(json.size() - 2,  // inside the error
              fmt::format(R"(,"llmroute":{{"partial_tokens":{},"attempts":{}}})",
                          error.usage.completion_tokens, error.attempts.size()));
}

}  // namespace

Refusal refusal_of(const Error& error) {
  Refusal refusal;
  refusal.retried = error.attempts.size() > 1;
  if (key_refused(error)) {
    const Error fixed = without_details(error);
    refusal.status = fixed.client_status();
    refusal.body = llmroute::wire::error_json(fixed);
    return refusal;
  }
  if (node_has_the_word(error)) {
    refusal.status = error.http_status;
    refusal.body = llmroute::wire::redacted(error.body);
    refusal.node_fields = &error.headers;
  } else {
    refusal.status = error.client_status();
    refusal.body = llmroute::wire::error_json(error);
  }
  if (wants_retry_after(refusal.status)) {
    refusal.retry_after_seconds = whole_seconds(error.retry_after);
  }
  return refusal;
}

std::string error_event(const Error& error) {
  std::string json = key_refused(error) ? llmroute::wire::error_json(without_details(error))
                                        : llmroute::wire::error_json(error);
  if (error.code == ErrorCode::stream_interrupted) add_progress(json, error);
  return "data: " + json + "\n\n";
}

std::optional<Rejection> rejection_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::queue_full:
      return Rejection::queue_full;
    case ErrorCode::queue_timeout:
      return Rejection::queue_timeout;
    case ErrorCode::no_healthy_node:
      return error.attempts.empty() ? std::optional(Rejection::no_node) : std::nullopt;
    case ErrorCode::rate_limited:
      return error.attempts.empty() ? std::optional(Rejection::rate_limit) : std::nullopt;
    case ErrorCode::shutting_down:
      return Rejection::draining;
    default:
      return std::nullopt;
  }
}

}  // namespace gateway

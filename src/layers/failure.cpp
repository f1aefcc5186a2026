#include "layers/failure.hpp"

#include <fmt/format.h>

#include <chrono>
#include <llmroute/wire/error_body.hpp>
#include <llmroute/wire/retry_after.hpp>

namespace llmroute::detail {

namespace {

FailureKind kind_of(net::TransferError::Kind kind) noexcept {
  using Kind = net::TransferError::Kind;
  switch (kind) {
    case Kind::connect:
      return FailureKind::connect;
    case Kind::dns:
      return FailureKind::dns;
    case Kind::tls:
      return FailureKind::tls;
    case Kind::timeout_connect:
      return FailureKind::timeout_connect;
    case Kind::reset_before_head:
      return FailureKind::reset_before_headers;
    case Kind::cut:
      return FailureKind::truncated_body;
    case Kind::too_large:
      return FailureKind::too_large;
    case Kind::protocol:
      return FailureKind::malformed_response;
    case Kind::internal:
      break;
  }
  return FailureKind::internal;
}

FailureKind kind_of(int status, wire::ErrorBody::Kind said) noexcept {
  using Said = wire::ErrorBody::Kind;
  switch (said) {
    case Said::model_not_found:
      return FailureKind::model_not_found;
    case Said::context_length:
      return FailureKind::context_length;
    case Said::content_filter:
      return FailureKind::content_filter;
    case Said::quota:
      return FailureKind::quota;
    case Said::auth:
      return FailureKind::auth;
    case Said::other:
      break;
  }
  return failure_of_status(status);
}

}  // namespace

AttemptFailure failure_of(const net::TransferError& error, int http_status) {
  return {.kind = kind_of(error.kind), .http_status = http_status, .reason = error.text};
}

AttemptFailure failure_of(int http_status, Headers headers, std::string body) {
  const wire::ErrorBody said = wire::read_error_body(http_status, body);
  AttemptFailure failure{.kind = kind_of(http_status, said.kind), .http_status = http_status};
  failure.reason = std::to_string(http_status);
  failure.retry_after = wire::retry_after(headers, std::chrono::system_clock::now());
  failure.should_retry = wire::should_retry(headers);
  failure.body = std::move(body);
  failure.headers = std::move(headers);
  return failure;
}

AttemptFailure timeout_failure(FailureKind kind, std::string_view clock, Duration limit) {
  return {.kind = kind, .reason = fmt::format("no {} in {:.3g} s", clock, seconds(limit))};
}

}  // namespace llmroute::detail

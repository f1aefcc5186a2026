/// What callers are told about failures.
#include <catch2/catch.hpp>

#include "gateway/refusal.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::refusal_of;
using gateway::Rejection;
using llmroute::Error;
using llmroute::ErrorCode;

namespace {

Error error_with(ErrorCode code, int http_status = 0, std::string body = "") {
  Error error;
  error.code = code;
  error.message = "what was tried";
  error.http_status = http_status;
  error.body = std::move(body);
  return error;
}

}  // namespace

TEST_CASE("the router's own refusal becomes OpenAI's error object", "[gateway][refusal]") {
  Error error = error_with(ErrorCode::queue_full);
  error.retry_after = 2500ms;
  const gateway::Refusal refusal = refusal_of(error);
  CHECK(refusal.status == 503);
  CHECK(refusal.retry_after_seconds == 3);
  CHECK_FALSE(refusal.retried);
  CHECK(refusal.node_fields == nullptr);
  CHECK(
      refusal.body ==
      R"({"error":{"message":"what was tried","type":"server_error","param":null,"code":"queue_full"}})");
}

TEST_CASE("a node's 4xx passes untouched", "[gateway][refusal]") {
  const Error error = error_with(ErrorCode::node_rejected, 422, R"({"detail":[1]})");
  const gateway::Refusal refusal = refusal_of(error);
  CHECK(refusal.status == 422);
  CHECK(refusal.body == R"({"detail":[1]})");
  CHECK(refusal.node_fields == &error.headers);
  CHECK_FALSE(refusal.retry_after_seconds.has_value());

  SECTION("with Retry-After when it is a rate limit") {
    const Error limited = error_with(ErrorCode::rate_limited, 429, "{}");
    CHECK(refusal_of(limited).retry_after_seconds == 1);
    CHECK(refusal_of(limited).body == "{}");
  }
  SECTION("but for keys that it quotes") {
    const Error quoting = error_with(
        ErrorCode::node_rejected, 400,
        R"({"error":{"message":"odd field in 'Authorization: Bearer abcdef0123456789'"}})");
    CHECK_THAT(refusal_of(quoting).body,
               Contains("odd field in 'Authorization:") && !Contains("abcdef"));
  }
  SECTION("but an empty one is given a body") {
    CHECK_THAT(refusal_of(error_with(ErrorCode::node_rejected, 400)).body,
               Contains("what was tried"));
  }
}

TEST_CASE("a node that refuses the gateway's key is not the caller's fault", "[gateway][refusal]") {
  for (const int status : {401, 403}) {
    Error error =
        error_with(ErrorCode::node_rejected, status, R"({"error":"bad key sk-1234567890abcdef"})");
    error.message = "node said sk-1234567890abcdef";
    const gateway::Refusal refusal = refusal_of(error);
    CHECK(refusal.status == 502);
    CHECK_THAT(refusal.body, Contains("credentials") && !Contains("sk-"));
    CHECK_THAT(gateway::error_event(error), Contains("credentials") && !Contains("sk-"));
  }
}

TEST_CASE("a node's 5xx is told in the gateway's words", "[gateway][refusal]") {
  Error error = error_with(ErrorCode::upstream_error, 500, "Traceback ...");
  error.attempts.resize(3);
  const gateway::Refusal refusal = refusal_of(error);
  CHECK(refusal.status == 502);
  CHECK(refusal.retried);
  CHECK_THAT(refusal.body, !Contains("Traceback"));
}

TEST_CASE("a broken stream ends with one typed event", "[gateway][refusal]") {
  const std::string event = gateway::error_event(error_with(ErrorCode::stream_interrupted));
  CHECK_THAT(event, Catch::StartsWith("data: {\"error\":{") && Catch::EndsWith("}}\n\n") &&
                        Contains("stream_interrupted"));

  SECTION("which tells how much has come") {
    Error error = error_with(ErrorCode::stream_interrupted);
    error.usage.completion_tokens = 7;
    error.attempts.resize(2);
    CHECK_THAT(gateway::error_event(error),
               Catch::EndsWith(R"(,"llmroute":{"partial_tokens":7,"attempts":2}}})"
                               "\n\n"));
    error.code = ErrorCode::upstream_error;
    CHECK_THAT(gateway::error_event(error), !Contains("partial_tokens"));
  }
}

TEST_CASE("rejections are told apart from failures", "[gateway][refusal]") {
  CHECK(gateway::rejection_of(error_with(ErrorCode::queue_full)) == Rejection::queue_full);
  CHECK(gateway::rejection_of(error_with(ErrorCode::queue_timeout)) == Rejection::queue_timeout);
  CHECK(gateway::rejection_of(error_with(ErrorCode::no_healthy_node)) == Rejection::no_node);
  CHECK(gateway::rejection_of(error_with(ErrorCode::shutting_down)) == Rejection::draining);
  CHECK(gateway::rejection_of(error_with(ErrorCode::rate_limited)) == Rejection::rate_limit);
  CHECK_FALSE(gateway::rejection_of(error_with(ErrorCode::upstream_error)).has_value());
  Error tried = error_with(ErrorCode::rate_limited, 429);
  tried.attempts.resize(1);
  CHECK_FALSE(gateway::rejection_of(tried).has_value());
}

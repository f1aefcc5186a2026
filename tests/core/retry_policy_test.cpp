// Whether, where and when a failed attempt is followed by another.
#include <catch2/catch.hpp>
#include <llmroute/core/retry_policy.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;
using Action = RetryDecision::Action;

TEST_CASE("another node is asked at once", "[core][retry]") {
  ManualTime time;
  Rng rng(1);
  const RetryPolicy policy;
  const RetryDecision next =
      policy.decide({.failure = FailureKind::server_error, .retry_after = 60s}, rng, time);
  CHECK(next.action == Action::elsewhere);
  CHECK(next.wait == 0s);
}

TEST_CASE("nothing is retried", "[core][retry]") {
  ManualTime time;
  Rng rng(1);
  const RetryPolicy policy({.max_retries = 2});
  FailedAttempt attempt{.failure = FailureKind::server_error, .other_node = GENERATE(true, false)};
  REQUIRE(policy.decide(attempt, rng, time).action != Action::stop);
  SECTION("after content has been delivered") { attempt.committed = true; }
  SECTION("when the call has used up its retries") { attempt.retries = 2; }
  SECTION("past the deadline") { attempt.deadline = time; }
  SECTION("when the node says so") { attempt.should_retry = false; }
  SECTION("that the table does not allow") { attempt.failure = FailureKind::rejected; }
  SECTION("for a cancelled call") { attempt.failure = FailureKind::cancelled; }
  SECTION("for a cancelled call whatever the node says") {
    attempt.failure = FailureKind::cancelled;
    attempt.should_retry = true;
  }
  SECTION("for a call out of time whatever the node says") {
    attempt.failure = FailureKind::deadline;
    attempt.should_retry = true;
  }
  CHECK(policy.decide(attempt, rng, time).action == Action::stop);
}

TEST_CASE("x-should-retry outranks the table", "[core][retry]") {
  ManualTime time;
  Rng rng(1);
  const RetryPolicy policy;
  FailedAttempt attempt{.failure = FailureKind::rejected, .should_retry = true};
  CHECK(policy.decide(attempt, rng, time).action == Action::elsewhere);
  attempt.other_node = false;
  CHECK(policy.decide(attempt, rng, time).action == Action::same_node);
}

TEST_CASE("the same node, when no other is left", "[core][retry]") {
  ManualTime time;
  Rng rng(1);
  const RetryPolicy policy;
  FailedAttempt attempt{.failure = FailureKind::rate_limited, .other_node = false};
  SECTION("is asked again after a backoff") {
    const RetryDecision next = policy.decide(attempt, rng, time);
    CHECK(next.action == Action::same_node);
    CHECK(next.wait <= 500ms);
    CHECK(next.wait > 375ms);
  }
  SECTION("is asked again after Retry-After") {
    attempt.retry_after = 7s;
    CHECK(policy.decide(attempt, rng, time).wait == 7s);
    attempt.retry_after = 120s;
    CHECK(policy.decide(attempt, rng, time).wait == 120s);
  }
  SECTION("is not, when Retry-After is longer than 120 s") {
    attempt.retry_after = 120s + 1ns;
    CHECK(policy.decide(attempt, rng, time).action == Action::stop);
  }
  SECTION("is not, when the wait reaches the deadline") {
    attempt.retry_after = 7s;
    attempt.deadline = time.now() + 7s;
    CHECK(policy.decide(attempt, rng, time).action == Action::stop);
    attempt.deadline += 1ns;
    CHECK(policy.decide(attempt, rng, time).action == Action::same_node);
  }
  SECTION("is not, when it was silent") {
    attempt.failure = FailureKind::timeout_headers;
    CHECK(policy.decide(attempt, rng, time).action == Action::stop);
  }
}

TEST_CASE("backoff doubles up to eight seconds, less up to a quarter by chance", "[core][retry]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  Rng rng(seed);
  const RetryPolicy policy;
  const double full[] = {0.5, 1, 2, 4, 8, 8, 8};
  for (int n = 0; n < 7; ++n) {
    for (int i = 0; i < 100; ++i) {
      const double wait = seconds(policy.backoff(n, rng));
      REQUIRE(wait <= full[n]);
      REQUIRE(wait > full[n] * 0.75 - 1e-6);
    }
  }
  CHECK(seconds(policy.backoff(1'000'000, rng)) <= 8);
  CHECK(seconds(policy.backoff(-1, rng)) <= 0.5);
}

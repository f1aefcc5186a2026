// What a ticket counts, measures and gives back.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a ticket counts as in flight until it is gone", "[core][ticket]") {
  PoolFixture f(plain_nodes(1));
  const std::shared_ptr<const Node> node = f.pool.find("a");
  NodeTicket none;
  CHECK_FALSE(none);
  none.record({}, f.time);  // nothing to record
  none.release();
  PickOutcome picked = f.pick();
  CHECK(node->stats().in_flight == 1);
  SECTION("moved or not") {
    NodeTicket moved = std::move(picked.ticket);
    CHECK_FALSE(picked.ticket);
    CHECK(moved);
    NodeTicket& self = moved;
    moved = std::move(self);
    CHECK(moved);
    CHECK(node->stats().in_flight == 1);
    moved = f.pick().ticket;
    CHECK(node->stats().in_flight == 1);
    moved = {};
  }
  SECTION("recorded or not") {
    picked.ticket.record(Outcome{.latency = 1s}, f.time);
    CHECK(node->stats().in_flight == 1);
    picked.ticket.release();
    CHECK(picked.ticket.node().name() == "a");  // still readable
  }
  picked = {};
  CHECK(node->stats().in_flight == 0);
}

TEST_CASE("a verdict counts once", "[core][ticket]") {
  PoolFixture f(plain_nodes(1));
  PickOutcome picked = f.pick();
  for (int i = 0; i < 5; ++i) {
    picked.ticket.record(Outcome::of(FailureKind::server_error, 1s, true), f.time);
  }
  CHECK(f.pool.find("a")->stats().failures == 1);
  CHECK(f.name() == "a");
}

TEST_CASE("failures are counted by class, blamed or not", "[core][ticket]") {
  PoolFixture f(plain_nodes(1));
  f.fail("a", FailureKind::rate_limited);
  f.fail("a", FailureKind::timeout_headers);
  f.fail("a", FailureKind::malformed_response);
  f.end("a", Outcome{.latency = 1s});
  f.fail("a", FailureKind::cancelled);
  const std::shared_ptr<const Node> node = f.pool.find("a");
  CHECK(node->failures(FailureClass::status) == 1);
  CHECK(node->failures(FailureClass::timeout) == 1);
  CHECK(node->failures(FailureClass::protocol) == 1);
  CHECK(node->failures(FailureClass::connect) == 0);
  CHECK(node->failures(FailureClass::none) == 0);
  CHECK(node->stats().failures == 2);
  CHECK(node->stats().requests == 5);
}

TEST_CASE("answers are measured", "[core][ticket]") {
  PoolFixture f(plain_nodes(1));
  const NodeStats& stats = f.pool.find("a")->stats();
  SECTION("plain ones as a whole and per token") {
    f.end("a", Outcome{.latency = 2s, .completion_tokens = 100});
    CHECK(stats.latency_seconds.value() == 2);
    CHECK(stats.per_token_seconds.value() == Approx(0.02));
    CHECK_FALSE(stats.first_content_seconds.seen());
  }
  SECTION("streams to their first content") {
    f.end("a", Outcome{.latency = 9s, .first_content = 300ms, .completion_tokens = 100});
    CHECK(stats.first_content_seconds.value() == Approx(0.3));
    CHECK_FALSE(stats.latency_seconds.seen());
  }
  SECTION("without a count of tokens only as a whole") {
    f.end("a", Outcome{.latency = 2s});
    CHECK_FALSE(stats.per_token_seconds.seen());
  }
  SECTION("quick failures and refusals not at all") {
    f.fail("a", FailureKind::server_error);
    f.fail("a", FailureKind::rejected);
    CHECK_FALSE(stats.latency_seconds.seen());
  }
}

TEST_CASE("a timeout says at least that long", "[core][ticket]") {
  PoolFixture f(plain_nodes(1), {.breaker = {.consecutive_failures = 0, .failure_rate = 0}});
  const NodeStats& stats = f.pool.find("a")->stats();
  const auto time_out = [&](FailureKind kind, Duration latency) {
    f.time.advance(10s);
    f.end("a", Outcome::of(kind, latency, false));
  };
  SECTION("of a stream's first content: it raises the figure, never lowers it") {
    f.end("a", Outcome{.latency = 9s, .first_content = 4s});
    time_out(FailureKind::timeout_headers, 1s);
    CHECK(stats.first_content_seconds.value() == 4);
    time_out(FailureKind::timeout_first_content, 60s);
    CHECK(stats.first_content_seconds.value() > 30);
  }
  SECTION("of a plain answer: its time per token rises in proportion") {
    f.end("a", Outcome{.latency = 2s, .completion_tokens = 100});
    time_out(FailureKind::timeout_response, 1s);
    CHECK(stats.latency_seconds.value() == 2);
    time_out(FailureKind::timeout_response, 20s);
    CHECK(stats.latency_seconds.value() > 10);
    CHECK(stats.per_token_seconds.value() > 0.1);
  }
  SECTION("of one that was never measured: it is the first figure") {
    time_out(FailureKind::timeout_response, 20s);
    CHECK(stats.latency_seconds.value() == 20);
    CHECK_FALSE(stats.per_token_seconds.seen());
  }
  SECTION("of a stream that had begun: nothing new") {
    Outcome stalled = Outcome::of(FailureKind::stream_stalled, 60s, true);
    stalled.first_content = 1s;
    f.end("a", stalled);
    CHECK_FALSE(stats.latency_seconds.seen());
  }
}

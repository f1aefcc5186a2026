// Health in the pool: probes, outliers, panic, slow start.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

PoolOptions watchful() {
  PoolOptions options;
  options.health.healthy_threshold = 1;
  options.health.unhealthy_threshold = 1;
  options.health.min_success_rate = 0.5;
  options.health.min_requests = 4;
  options.breaker.consecutive_failures = 0;  // breakers out of the way
  options.breaker.failure_rate = 0;
  return options;
}

}  // namespace

TEST_CASE("a node that fails its probes is left out", "[core][pool][health]") {
  PoolFixture f(plain_nodes(2), watchful());
  f.pool.probe_result("a", false, f.time);
  f.pool.probe_result("a", false, f.time);
  f.pool.probe_result("z", false, f.time);  // not there: no error
  CHECK(f.picks(4) == Picks{{"b", 4}});
  CHECK_FALSE(f.status("a").healthy);
  CHECK(f.events == Names{"unhealthy a"});
  SECTION("until they succeed") {
    f.pool.probe_result("a", true, f.time);
    CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
    CHECK(f.events == Names{"unhealthy a", "healthy a"});
  }
  SECTION("unless nobody is left: health never empties a pool") {
    f.pool.probe_result("b", false, f.time);
    CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
  }
}

TEST_CASE("a doubtful node is better than one behind a breaker", "[core][pool][health]") {
  PoolOptions options = watchful();
  options.breaker = {};
  PoolFixture f(plain_nodes(2), options);
  f.pool.probe_result("a", false, f.time);
  f.fail("b", FailureKind::server_error, 3);
  CHECK(f.picks(4) == Picks{{"a", 4}});
}

TEST_CASE("an outlier is ejected and comes back slowly", "[core][pool][health]") {
  PoolFixture f(plain_nodes(4), watchful());
  f.fail("a", FailureKind::server_error, 4);
  CHECK(f.picks(9) == Picks{{"b", 3}, {"c", 3}, {"d", 3}});
  CHECK_FALSE(f.status("a").healthy);
  CHECK(f.events == Names{"unhealthy a"});
  f.time.advance(30s);
  f.strategy = make_strategy("weighted_random");
  const Picks seen = f.picks(4000);
  CHECK(f.events == Names{"unhealthy a", "healthy a"});
  CHECK(seen.at("a") > 0);
  CHECK(seen.at("a") < 700);  // a quarter would be 1,000
  f.time.advance(60s);
  CHECK(f.picks(4000).at("a") == Approx(1000).margin(140));  // 5 sigma
}

TEST_CASE("who hears that a node is back may change the pool", "[core][pool][health]") {
  PoolFixture f(plain_nodes(4), watchful());
  f.fail("a", FailureKind::server_error, 4);
  f.time.advance(30s);
  f.on_event = [&] { f.pool.remove("b", f.time); };
  f.pool.remove("c", f.time);
  CHECK(f.events == Names{"unhealthy a", "healthy a"});
  CHECK(f.pool.nodes().size() == 2);
}

TEST_CASE("only so many may be ejected", "[core][pool][health]") {
  SECTION("half of them by default") {
    PoolFixture f(plain_nodes(4), watchful());
    for (const char* name : {"a", "b", "c", "d"}) f.fail(name, FailureKind::server_error, 8);
    CHECK(f.picks(8) == Picks{{"c", 4}, {"d", 4}});
  }
  SECTION("one at least") {
    PoolFixture f(plain_nodes(3), watchful());
    for (const char* name : {"a", "b", "c"}) f.fail(name, FailureKind::server_error, 8);
    CHECK(f.picks(8) == Picks{{"b", 4}, {"c", 4}});
  }
  SECTION("none where max_ejected is zero") {
    PoolOptions options = watchful();
    options.health.max_ejected = 0;
    PoolFixture f(plain_nodes(3), options);
    f.fail("a", FailureKind::server_error, 8);
    CHECK(f.picks(3).size() == 3);
  }
  SECTION("and a lone one is asked all the same") {
    PoolFixture f(plain_nodes(1), watchful());
    f.fail("a", FailureKind::server_error, 8);
    CHECK_FALSE(f.status("a").healthy);
    CHECK(f.name() == "a");
  }
}

TEST_CASE("a slow node can be an outlier", "[core][pool][health]") {
  PoolOptions options = watchful();
  options.health.max_response_time = 2s;
  PoolFixture f(plain_nodes(2), options);
  for (int i = 0; i < 4; ++i) {
    f.end("a", Outcome{.latency = 3s});
    f.end("b", Outcome{.latency = 60s,
                       .first_content = 1s});  // a stream responds with its first content
  }
  CHECK(f.picks(4) == Picks{{"b", 4}});
}

TEST_CASE(
    "in a large fleet lists are rebuilt at most every 10 ms, and picks are right all the same",
    "[core][pool]") {
  std::vector<NodeConfig> nodes;
  for (int i = 0; i < 200; ++i) {
    NodeConfig node;
    node.name = std::to_string(i);
    node.models = {"m"};
    nodes.push_back(node);
  }
  PoolFixture f(nodes);
  REQUIRE(f.picks(200).size() == 200);
  f.fail("7", FailureKind::server_error, 3);
  CHECK(f.picks(400).count("7") == 0);  // the old list has it; its breaker does not let anyone in
  f.time.advance(10ms);
  CHECK(f.picks(400).count("7") == 0);
  f.pool.drain("8", true);
  CHECK(f.picks(400).count("8") == 0);
  f.time.advance(5s);
  PickOutcome probe;
  for (int i = 0; i < 400 && !(probe.ticket && probe.ticket.node().name() == "7"); ++i)
    probe = f.pick();
  CHECK(probe.ticket.node().name() == "7");
}

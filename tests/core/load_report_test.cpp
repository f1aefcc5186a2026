// What nodes report of their load, in the pool.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a report says what it tells", "[core][load]") {
  CHECK(LoadReport{}.empty());
  CHECK(LoadReport{.running = 0}.tells_load());
  CHECK(LoadReport{.waiting = 0}.tells_load());
  CHECK_FALSE(LoadReport{.kv_cache_usage = 0.5, .max_fds = 9}.tells_load());
  CHECK_FALSE(LoadReport{.max_fds = 9}.empty());
}

TEST_CASE("a pool keeps the last report until it is too old", "[core][pool][load]") {
  PoolFixture f(plain_nodes(2));
  CHECK_FALSE(f.status("a").reported);
  f.pool.load_reported(f.id("a"), {.running = 2, .waiting = 1, .max_fds = 1024}, 0, f.time,
                       after(f.time, 15s));
  f.pool.load_reported(NodeId{99}, {.running = 2}, 0, f.time, never);  // not there: no error
  f.time.advance(14s);
  const auto reported = f.status("a").reported;
  REQUIRE(reported);
  CHECK(reported->report.running == 2);
  CHECK(reported->report.waiting == 1);
  CHECK_FALSE(reported->report.kv_cache_usage);
  CHECK(reported->report.max_fds == 1024);
  CHECK(after(reported->at, 14s) == Time(f.time));
  CHECK_FALSE(f.status("b").reported);
  f.time.advance(1s);
  CHECK_FALSE(f.status("a").reported);
}

TEST_CASE("picks go by what nodes report", "[core][pool][load]") {
  PoolFixture f(plain_nodes(2));
  f.strategy = make_strategy("vllm_load");
  f.pool.load_reported(f.id("a"), {.running = 3, .waiting = 0}, 0, f.time, after(f.time, 15s));
  f.pool.load_reported(f.id("b"), {.running = 1, .waiting = 0}, 0, f.time, after(f.time, 15s));
  CHECK(f.picks(10) == Picks{{"b", 10}});
  SECTION("a report without a load leaves the last one as it is") {
    f.pool.load_reported(f.id("b"), {.max_fds = 9}, 0, f.time, after(f.time, 15s));
    CHECK(f.picks(10) == Picks{{"b", 10}});
  }
  SECTION("and it says so") {
    const auto nodes = f.pool.explain(*f.strategy, {.model = "m"}, f.rng, f.time);
    CHECK(nodes.at(0).score == 9);
    CHECK(nodes.at(1).score == 3);
    CHECK(nodes.at(1).picked);
  }
}

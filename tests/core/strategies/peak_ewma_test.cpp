// peak_ewma: of two draws the one that is quicker under its present load.
#include <catch2/catch.hpp>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a peak average believes bad news at once", "[core][strategy]") {
  ManualTime time;
  PeakEwma wait;
  CHECK_FALSE(wait.seen());
  wait.add(0.1, time);
  time.advance(1s);
  wait.add(2.0, time);
  CHECK(wait.decayed(time) == Approx(2.0));
  time.advance(1s);
  wait.add(0.1, time);  // good news has to be confirmed
  CHECK(wait.decayed(time) > 1.5);
  time.advance(60s);
  CHECK(wait.decayed(time) < 0.01);
}

TEST_CASE("the quicker of two is picked", "[core][strategy]") {
  Fleet fleet(2);
  StrategyOf<PeakEwmaBalancer> strategy;
  fleet.stats(0).wait_seconds.add(0.1, fleet.time);
  fleet.stats(1).wait_seconds.add(0.3, fleet.time);
  CHECK(fleet.pick(strategy) == 0);
  SECTION("until it has more to do") {
    fleet.stats(0).in_flight = 3;
    CHECK(fleet.pick(strategy) == 1);
  }
}

TEST_CASE("a node nobody has asked is tried while it is idle", "[core][strategy]") {
  Fleet fleet(2);
  StrategyOf<PeakEwmaBalancer> strategy;
  fleet.stats(0).wait_seconds.add(0.1, fleet.time);
  CHECK(fleet.pick(strategy) == 1);
  fleet.stats(1).in_flight = 1;
  CHECK(fleet.pick(strategy) == 0);
}

TEST_CASE("a lone node is always the one", "[core][strategy]") {
  Fleet fleet(1);
  StrategyOf<PeakEwmaBalancer> strategy;
  CHECK(fleet.pick(strategy) == 0);
}

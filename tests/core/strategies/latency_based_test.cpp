// latency_based: the node that has been answering fastest.
#include <catch2/catch.hpp>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("the fastest node is picked", "[core][strategy]") {
  Fleet fleet(3);
  StrategyOf<LatencyBased> strategy;
  const double first_content[] = {0.3, 0.1, 0.2};
  const double per_token[] = {0.01, 0.03, 0.02};
  for (std::size_t i = 0; i < 3; ++i) {
    fleet.stats(i).first_content_seconds.add(first_content[i], fleet.time);
    fleet.stats(i).per_token_seconds.add(per_token[i], fleet.time);
  }
  SECTION("by time to first content for streams") {
    CHECK(fleet.pick(strategy, {.stream = true}) == 1);
  }
  SECTION("by time per token for plain calls") { CHECK(fleet.pick(strategy) == 0); }
  SECTION("whatever it was long ago: figures fade") {
    fleet.time.advance(20s);
    fleet.stats(0).per_token_seconds.add(0.01,
                                         fleet.time);  // fresh; the others were never asked again
    CHECK(fleet.pick(strategy) != 0);
  }
}

TEST_CASE("a node without a figure is tried, one call at a time", "[core][strategy]") {
  Fleet fleet(2);
  StrategyOf<LatencyBased> strategy;
  fleet.stats(0).per_token_seconds.add(0.01, fleet.time);
  CHECK(fleet.pick(strategy) == 1);
  fleet.stats(1).in_flight = 1;
  CHECK(fleet.pick(strategy) == 0);
}

TEST_CASE("nodes that are all unknown are picked by chance", "[core][strategy]") {
  Fleet fleet(4);
  StrategyOf<LatencyBased> strategy;
  SECTION("idle") {}
  SECTION("busy") {
    for (std::size_t i = 0; i < 4; ++i) fleet.stats(i).in_flight = 1;
  }
  for (const int count : fleet.picks(strategy, 40'000))
    CHECK(count == Approx(10'000).margin(450));  // 5 sigma
}

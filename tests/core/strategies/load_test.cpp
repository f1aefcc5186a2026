// Strategies that compare loads: least_loaded, p2c, priority.
#include <catch2/catch.hpp>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("least loaded takes the least load per capacity", "[core][strategy]") {
  Fleet fleet({{.capacity = 10}, {.capacity = 100}, {.capacity = 1}});
  StrategyOf<LeastLoaded> strategy;
  CHECK(fleet.pick(strategy) == 1);  // idle all of them: the largest
  fleet.stats(1).in_flight = 50;
  CHECK(fleet.pick(strategy) == 0);
  fleet.stats(0).in_flight = 9;
  CHECK(fleet.pick(strategy) == 1);
}

TEST_CASE("least loaded breaks ties by chance", "[core][strategy]") {
  Fleet fleet(5);
  fleet.stats(2).in_flight = 1;
  StrategyOf<LeastLoaded> strategy;
  const std::vector<int> seen = fleet.picks(strategy, 40'000);
  CHECK(seen[2] == 0);
  for (const std::size_t node : {0U, 1U, 3U, 4U})
    CHECK(seen[node] == Approx(10'000).margin(450));  // 5 sigma
}

TEST_CASE("two choices keep the less loaded one", "[core][strategy]") {
  Fleet fleet(2);
  fleet.stats(0).in_flight = 1;
  StrategyOf<PowerOfTwo> strategy;
  CHECK(fleet.picks(strategy, 100) == std::vector<int>{0, 100});
}

TEST_CASE("two choices reach every node, never the most loaded one", "[core][strategy]") {
  Fleet fleet(4);
  for (std::size_t i = 0; i < 4; ++i) fleet.stats(i).in_flight = static_cast<int>(i);
  StrategyOf<PowerOfTwo> strategy;
  const std::vector<int> seen = fleet.picks(strategy, 60'000);
  CHECK(seen[0] == Approx(30'000).margin(650));  // in half of the pairs, and wins them all
  CHECK(seen[1] == Approx(20'000).margin(650));
  CHECK(seen[2] == Approx(10'000).margin(650));
  CHECK(seen[3] == 0);
}

TEST_CASE("two choices of one node are that node", "[core][strategy]") {
  Fleet fleet(1);
  StrategyOf<PowerOfTwo> strategy;
  CHECK(fleet.pick(strategy) == 0);
}

TEST_CASE("two choices keep loads close together", "[core][strategy]") {
  // 100 nodes, 10,000 calls that never end: the fullest holds at most a few more than the mean
  // (Mitzenmacher).
  Fleet fleet(100);
  StrategyOf<PowerOfTwo> strategy;
  for (int i = 0; i < 10'000; ++i) ++fleet.stats(fleet.pick(strategy)).in_flight;
  for (const NodeView& node : fleet.views()) {
    CHECK(node.in_flight() >= 90);
    CHECK(node.in_flight() <= 105);
  }
}

TEST_CASE("priority asks the most preferred nodes only, the less loaded of two",
          "[core][strategy]") {
  Fleet fleet(
      {{.priority = 2}, {.priority = 1}, {.priority = 1}, {.priority = 7}, {.priority = 1}});
  fleet.stats(2).in_flight = 3;
  StrategyOf<LowestPriority> strategy;
  const std::vector<int> seen = fleet.picks(strategy, 30'000);
  CHECK(seen[0] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[1] == Approx(15'000).margin(450));  // 5 sigma
}

TEST_CASE("priority with one most preferred node asks that one", "[core][strategy]") {
  Fleet fleet({{.priority = 0}, {.priority = -3}, {.priority = 5}});
  fleet.stats(1).in_flight = 100;
  StrategyOf<LowestPriority> strategy;
  CHECK(fleet.picks(strategy, 10) == std::vector<int>{0, 10, 0});
}

TEST_CASE("a node's view shows its configuration and its figures", "[core][strategy]") {
  Fleet fleet({{.weight = 2, .priority = 4, .capacity = 8}});
  fleet.stats(0).in_flight = 3;
  const NodeView node = fleet.views()[0];
  CHECK(node.name() == "0");
  CHECK(node.weight() == 2);
  CHECK(node.capacity() == 8);
  CHECK(node.priority() == 4);
  CHECK(node.in_flight() == 3);
  CHECK(node.config().capacity == 8);
  CHECK(load_with_one_more(node) == 0.5);
}

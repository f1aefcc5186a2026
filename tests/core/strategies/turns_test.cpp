// Strategies that take turns or draw lots: round_robin, weighted_round_robin, weighted_random.
#include <catch2/catch.hpp>
#include <set>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("round robin asks the nodes in turn", "[core][strategy]") {
  Fleet fleet(4);
  StrategyOf<RoundRobin> strategy(7U);
  const std::size_t first = fleet.pick(strategy);
  for (std::size_t i = 1; i < 20; ++i) CHECK(fleet.pick(strategy) == (first + i) % 4);
}

TEST_CASE("round robins of different seeds begin at different places", "[core][strategy]") {
  Fleet fleet(4);
  std::set<std::size_t> starts;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    StrategyOf<RoundRobin> plain(seed);
    StrategyOf<WeightedRoundRobin> weighted(seed);
    starts.insert(fleet.pick(plain));
    CHECK(fleet.pick(weighted) < 4);
  }
  CHECK(starts.size() == 4);
}

TEST_CASE("weighted round robin gives each node its share in every round", "[core][strategy]") {
  Fleet fleet({{.weight = 5}, {.weight = 1}, {.weight = 1}, {.weight = 0}});
  StrategyOf<WeightedRoundRobin> strategy(3U);
  CHECK(fleet.picks(strategy, 7) == std::vector<int>{5, 1, 1, 0});
  CHECK(fleet.picks(strategy, 70) == std::vector<int>{50, 10, 10, 0});
}

TEST_CASE("weighted random gives each node its share in the long run", "[core][strategy]") {
  Fleet fleet({{.weight = 3}, {.weight = 1}, {.weight = 0}});
  StrategyOf<WeightedRandom> strategy;
  const std::vector<int> seen = fleet.picks(strategy, 40'000);
  CHECK(seen[0] == Approx(30'000).margin(450));  // 5 sigma
  CHECK(seen[1] == Approx(10'000).margin(450));
  CHECK(seen[2] == 0);
}

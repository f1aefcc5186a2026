// vllm_load: the node that says it has the least to do.
#include <catch2/catch.hpp>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

void reports(Fleet& fleet, std::size_t node, LoadReport report, int own = 0) {
  fleet.stats(node).others.set(report, own, after(fleet.time, 15s));
}

double score(Fleet& fleet, std::size_t node) {
  return VllmLoad::score(fleet.views()[node], {}, fleet.time);
}

}  // namespace

TEST_CASE("running requests count three times, over the capacity", "[core][strategy]") {
  Fleet fleet({{.capacity = 4}, {.capacity = 8}, {.capacity = 1}});
  StrategyOf<VllmLoad> strategy;
  reports(fleet, 0, {.running = 2, .waiting = 1});
  reports(fleet, 1, {.running = 3, .waiting = 4});
  reports(fleet, 2, {.running = 0, .waiting = 2});
  CHECK(score(fleet, 0) == 7.0 / 4);
  CHECK(score(fleet, 1) == 13.0 / 8);
  CHECK(score(fleet, 2) == 2);
  CHECK(fleet.pick(strategy) == 1);
  CHECK(strategy.wants_load_reports());
  CHECK_FALSE(StrategyOf<LeastLoaded>().wants_load_reports());
}

TEST_CASE("what was sent since the report counts, what has ended does not", "[core][strategy]") {
  Fleet fleet(std::vector<NodeConfig>{{.capacity = 1}, {.capacity = 1}});
  StrategyOf<VllmLoad> strategy;
  fleet.stats(0).in_flight = 2;
  reports(fleet, 0, {.running = 3, .waiting = 0}, 2);  // two of the three are this process's
  reports(fleet, 1, {.running = 2, .waiting = 0});
  CHECK(score(fleet, 0) == 9);
  CHECK(fleet.pick(strategy) == 1);
  fleet.stats(1).in_flight = 2;
  CHECK(score(fleet, 1) == 12);
  CHECK(fleet.pick(strategy) == 0);
  fleet.stats(0).in_flight = 0;
  CHECK(score(fleet, 0) == 3);
  SECTION("never less than what this process has there itself") {
    fleet.stats(0).in_flight = 4;
    reports(fleet, 0, {.running = 1, .waiting = 0}, 4);  // the other three came back meanwhile
    CHECK(score(fleet, 0) == 12);
  }
}

TEST_CASE("calls of one interval spread over nodes that were idle", "[core][strategy]") {
  Fleet fleet(4);
  StrategyOf<VllmLoad> strategy;
  for (std::size_t i = 0; i < 4; ++i) reports(fleet, i, {.running = 0, .waiting = 0});
  for (int i = 0; i < 40; ++i) ++fleet.stats(fleet.pick(strategy)).in_flight;
  for (std::size_t i = 0; i < 4; ++i) CHECK(fleet.stats(i).in_flight == 10);
}

TEST_CASE("equally loaded nodes are picked by chance", "[core][strategy]") {
  Fleet fleet(4);
  StrategyOf<VllmLoad> strategy;
  SECTION("as their reports say") {
    for (std::size_t i = 0; i < 4; ++i) reports(fleet, i, {.running = 5, .waiting = 0});
  }
  SECTION("and without reports") {}
  for (const int count : fleet.picks(strategy, 40'000))
    CHECK(count == Approx(10'000).margin(450));  // 5 sigma
}

TEST_CASE("a node without a report is not taken for an idle one", "[core][strategy]") {
  Fleet fleet(3);
  StrategyOf<VllmLoad> strategy;
  reports(fleet, 0, {.running = 2, .waiting = 0});
  reports(fleet, 1, {.running = 4, .waiting = 0});
  CHECK(fleet.pick(strategy) == 0);  // the third counts as three running
  fleet.stats(0).in_flight = 2;
  CHECK(fleet.pick(strategy) == 2);
  CHECK(score(fleet, 2) == 0);
  fleet.stats(2).in_flight = 1;
  CHECK(score(fleet, 2) == 3);
  SECTION("nor is one whose report is too old") {
    reports(fleet, 2, {.running = 0, .waiting = 0});
    CHECK(fleet.pick(strategy) == 2);
    fleet.time.advance(15s);
    CHECK_FALSE(fleet.stats(2).others.known(fleet.time));
    reports(fleet, 0, {.running = 0, .waiting = 0}, 2);
    reports(fleet, 1, {.running = 4, .waiting = 0});
    CHECK(fleet.pick(strategy) != 2);
  }
}

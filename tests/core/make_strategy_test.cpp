// Strategies by name.
#include <catch2/catch.hpp>
#include <llmroute/core/make_strategy.hpp>

#include "core/strategies/fleet.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("every name makes a strategy that picks one of the nodes", "[core][strategy]") {
  Fleet fleet(3);
  for (const std::string_view name : strategy_names()) {
    CAPTURE(name);
    const std::unique_ptr<Strategy> strategy = make_strategy(name, 5);
    REQUIRE(strategy);
    for (int i = 0; i < 100; ++i) CHECK(fleet.pick(*strategy) < 3);
  }
  CHECK(strategy_names().size() == 17);
}

TEST_CASE("names of other products work, dashes as well as underscores", "[core][strategy]") {
  const char* name = GENERATE("auto", "p2c", "round-robin", "weighted", "simple-shuffle",
                              "least-busy", "least_request", "least_latency",
                              "latency-based-routing", "vllm-load", "capacity", "priority");
  CAPTURE(name);
  CHECK(make_strategy(name));
}

TEST_CASE("an unknown name makes nothing", "[core][strategy]") {
  const char* name = GENERATE("", "p2", "p2cc", "Round_robin", "round robin");
  CAPTURE(name);
  CHECK_FALSE(make_strategy(name));
}

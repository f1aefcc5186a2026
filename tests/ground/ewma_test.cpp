// The mean that forgets, and what is known of a node before anything has happened.
#include <catch2/catch.hpp>
#include <cmath>
#include <llmroute/core/node_config.hpp>
#include <llmroute/core/node_stats.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a moving average", "[ground][ewma]") {
  ManualTime time;
  Ewma mean(10s);
  CHECK_FALSE(mean.seen());
  mean.add(4, time);
  SECTION("is its first sample at first") {
    CHECK(mean.seen());
    CHECK(mean.value() == 4);
  }
  SECTION("weighs a sample by the time since the last one") {
    time.advance(10s);
    mean.add(0, time);
    CHECK(mean.value() == Approx(4 * std::exp(-1.0)));
  }
  SECTION("takes samples of one moment for one") {
    mean.add(100, time);
    CHECK(mean.value() == 4);
  }
  SECTION("stays between samples, and fades for readers who want that") {
    time.advance(20s);
    CHECK(mean.value() == 4);
    CHECK(mean.decayed(time) == Approx(4 * std::exp(-2.0)));
  }
}

TEST_CASE("the divisor of load scores is capacity, else the cap, else the weight",
          "[ground][node_config]") {
  CHECK(NodeConfig{.weight = 3, .capacity = 8, .max_concurrent_requests = 4}.load_capacity() == 8);
  CHECK(NodeConfig{.weight = 3, .max_concurrent_requests = 4}.load_capacity() == 4);
  CHECK(NodeConfig{.weight = 3}.load_capacity() == 3);
  CHECK(NodeConfig{.weight = 0}.load_capacity() == 1);
}

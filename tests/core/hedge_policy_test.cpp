#include <catch2/catch.hpp>
#include <llmroute/core/hedge_policy.hpp>

using namespace llmroute;
using namespace std::chrono_literals;

TEST_CASE("hedges are a share of the calls", "[core][hedge]") {
  HedgePolicy policy({.enabled = true, .max_share = 0.05});
  int hedges = 0;
  for (int call = 0; call < 1000; ++call) {
    policy.call_started();
    while (policy.take()) ++hedges;
  }
  CHECK(hedges >= 50);
  CHECK(hedges <= 51);
  SECTION("and what was not used is kept only so far") {
    for (int call = 0; call < 10000; ++call) policy.call_started();
    int burst = 0;
    while (policy.take()) ++burst;
    CHECK(burst == 10);
  }
}

TEST_CASE("the delay of a hedge", "[core][hedge]") {
  SECTION("fixed") {
    CHECK(HedgePolicy({.enabled = true, .delay = 30ms}).delay(true) == Duration(30ms));
  }
  SECTION("or observed, streams apart from plain calls") {
    HedgePolicy policy({.enabled = true});
    CHECK(policy.enabled());
    for (int i = 0; i < 100; ++i) policy.observe(true, 100ms);
    REQUIRE(policy.delay(true));
    CHECK(seconds(*policy.delay(true)) == Approx(0.1).epsilon(0.1));
    CHECK_FALSE(policy.delay(false));
  }
  SECTION("nothing is observed while it is off") {
    HedgePolicy policy;
    for (int i = 0; i < 100; ++i) policy.observe(true, 100ms);
    CHECK_FALSE(policy.delay(true));
  }
}

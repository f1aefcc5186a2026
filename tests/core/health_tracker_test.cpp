// Probes, outliers, ejection and the slow way back.
#include <catch2/catch.hpp>
#include <llmroute/core/health_tracker.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("probes decide on health after a number in a row", "[core][health]") {
  ManualTime time;
  HealthTracker health({.healthy_threshold = 2, .unhealthy_threshold = 3});
  CHECK(health.healthy());
  CHECK_FALSE(health.probed(false, time));
  CHECK_FALSE(health.probed(false, time));
  SECTION("a good one in between starts the count again") {
    CHECK_FALSE(health.probed(true, time));
    CHECK_FALSE(health.probed(false, time));
    CHECK_FALSE(health.probed(false, time));
    CHECK(health.healthy());
  }
  SECTION("the third makes it unhealthy, two good ones healthy") {
    CHECK(health.probed(false, time));
    CHECK_FALSE(health.healthy());
    CHECK_FALSE(health.in(time));
    CHECK_FALSE(health.probed(true, time));
    CHECK(health.probed(true, time));
    CHECK(health.in(time));
  }
}

TEST_CASE("an outlier", "[core][health]") {
  ManualTime time;
  SECTION("fails more often than it may") {
    HealthTracker health({.min_success_rate = 0.8, .min_requests = 10});
    for (int i = 0; i < 9; ++i) health.called(i >= 3, 1s, time);
    CHECK_FALSE(health.outlier(time));  // too few to tell
    health.called(true, 1s, time);
    CHECK(health.outlier(time));  // 7 of 10
    time.advance(60s);
    CHECK_FALSE(health.outlier(time));
  }
  SECTION("takes longer than it may on average") {
    HealthTracker health({.max_response_time = 2s, .min_requests = 2});
    health.called(true, 1s, time);
    health.called(true, 3s, time);
    CHECK_FALSE(health.outlier(time));
    health.called(true, 3s, time);
    CHECK(health.outlier(time));
  }
  SECTION("does not exist when neither limit is set") {
    HealthTracker health;
    for (int i = 0; i < 100; ++i) health.called(false, 100s, time);
    CHECK_FALSE(health.outlier(time));
  }
}

TEST_CASE("ejection", "[core][health]") {
  ManualTime time;
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  Rng rng(seed);
  HealthTracker health(
      {.min_success_rate = 0.5, .min_requests = 1, .base_ejection = 30s, .max_ejection = 100s});
  const auto eject = [&] {
    health.eject(rng, time);
    return seconds(health.ejected_until() - time.now());
  };
  health.called(false, 1s, time);
  REQUIRE(health.outlier(time));
  const double first = eject();
  CHECK(first <= 30);
  CHECK(first > 22.5);
  CHECK(health.ejected(time));
  CHECK_FALSE(health.in(time));
  CHECK_FALSE(health.outlier(time));
  SECTION("ends by itself, with the window wiped clean") {
    time.advance(30s);
    CHECK(health.in(time));
    CHECK_FALSE(health.outlier(time));
  }
  SECTION("grows with every repetition, up to the longest") {
    for (const double full : {60.0, 90.0, 100.0, 100.0}) {
      time.advance(health.ejected_until() - time.now());
      const double length = eject();
      CHECK(length <= full);
      CHECK(length > full * 0.75);
    }
    CHECK(health.ejections() == 5);
  }
  SECTION("is forgiven by time spent well") {
    time.advance(30s);
    eject();
    time.advance(60s + 60s);
    CHECK(eject() <= 30);
    CHECK(health.ejections() == 1);
  }
}

TEST_CASE("a node that comes back starts slowly", "[core][health]") {
  ManualTime time;
  HealthTracker health({.healthy_threshold = 1, .unhealthy_threshold = 1, .slow_start = 30s});
  CHECK(health.weight_factor(time) == 1);
  health.probed(false, time);
  health.probed(true, time);
  CHECK(health.weight_factor(time) == Approx(0.1));
  time.advance(15s);
  CHECK(health.weight_factor(time) == Approx(0.55));
  time.advance(15s);
  CHECK(health.weight_factor(time) == 1);
  SECTION("also after an ejection") {
    Rng rng(1);
    health.eject(rng, time);
    CHECK(health.weight_factor(time) == Approx(0.1));
    time.advance(health.ejected_until() - time.now() + 15s);
    CHECK(health.weight_factor(time) == Approx(0.55));
  }
  SECTION("but not where slow start is off") {
    HealthTracker quick({.slow_start = 0s});
    quick.returned(time);
    CHECK(quick.weight_factor(time) == 1);
  }
}

// The bucket that keeps retries to a fraction of the calls.
#include <atomic>
#include <catch2/catch.hpp>
#include <llmroute/core/retry_budget.hpp>
#include <llmroute/core/rng.hpp>
#include <thread>
#include <vector>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

int take_all(RetryBudget& budget, Time now) {
  int taken = 0;
  while (budget.take(now)) ++taken;
  return taken;
}

}  // namespace

TEST_CASE("a retry budget starts full", "[core][retry_budget]") {
  ManualTime time;
  SECTION("with ten tokens") {
    RetryBudget budget;
    CHECK(budget.tokens() == 10);
    CHECK(take_all(budget, time) == 10);
  }
  SECTION("with one for every call in flight") {
    RetryBudget budget({}, 25);
    CHECK(take_all(budget, time) == 25);
  }
}

TEST_CASE("every call brings a fifth of a retry", "[core][retry_budget]") {
  ManualTime time;
  RetryBudget budget({.retry_floor = 0});
  take_all(budget, time);
  for (int i = 0; i < 49; ++i) budget.deposit(time);
  CHECK(take_all(budget, time) == 9);
  budget.deposit(time);
  CHECK(take_all(budget, time) == 1);
  SECTION("up to what the bucket holds") {
    for (int i = 0; i < 1000; ++i) budget.deposit(time);
    CHECK(budget.tokens() == 10);
    for (int i = 0; i < 1000; ++i) budget.deposit(time, 50);
    CHECK(budget.tokens() == 50);
  }
}

TEST_CASE("the floor", "[core][retry_budget]") {
  ManualTime time;
  RetryBudget budget({.retry_floor = 1});
  take_all(budget, time);
  SECTION("brings a token a second while there are no calls") {
    time.advance(3s);
    CHECK(take_all(budget, time) == 3);
    time.advance(1h);
    CHECK(take_all(budget, time) == 10);
  }
  SECTION("adds nothing while calls bring more") {
    int taken = 0;
    for (int i = 0; i < 600; ++i) {  // 10 calls a second for a minute: 2 tokens a second
      time.advance(100ms);
      budget.deposit(time);
      taken += take_all(budget, time);
    }
    CHECK(taken >= 119);
    CHECK(taken <= 120);
  }
  SECTION("makes up for what calls do not bring") {
    int taken = 0;
    for (int i = 0; i < 60; ++i) {  // a call a second: 0.2 tokens a second
      time.advance(1s);
      budget.deposit(time);
      taken += take_all(budget, time);
    }
    CHECK(taken >= 58);
    CHECK(taken <= 60);
  }
}

TEST_CASE("over any minute retries stay within a fifth of the calls and the bucket",
          "[core][retry_budget][property]") {
  const auto seed = GENERATE(range(1U, 11U));
  CAPTURE(seed);
  Rng rng(seed);
  ManualTime time;
  RetryBudget budget;
  struct Second {
    int calls = 0;
    int retries = 0;
  };
  std::vector<Second> past;
  for (int s = 0; s < 300; ++s) {
    Second second{.calls =
                      static_cast<int>(5 + rng.below(60))};  // 5 a second bring the floor's worth
    for (int i = 0; i < second.calls; ++i) {
      time.advance(1s / second.calls);
      budget.deposit(time);
      second.retries += rng.below(4) == 0 ? take_all(budget, time) : 0;
    }
    past.push_back(second);
    int calls = 0;
    int retries = 0;
    for (std::size_t i = past.size() < 60 ? 0 : past.size() - 60; i < past.size(); ++i) {
      calls += past[i].calls;
      retries += past[i].retries;
    }
    REQUIRE(retries <= 0.2 * calls + 10 + 1);  // one for the floor's rounding of a second's edge
  }
}

TEST_CASE("threads share a retry budget without losing or making tokens",
          "[core][retry_budget][threads]") {
  ManualTime time;
  RetryBudget budget({.retry_floor = 0}, 1000);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        budget.deposit(time, 1000);
        if (budget.take(time)) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  taken += take_all(budget, time);
  CHECK(taken <= 1000 + 800);
  CHECK(taken >= 1000);
}

// Limits of requests and tokens per subject: reserved at the start, settled at the end.
#include <atomic>
#include <catch2/catch.hpp>
#include <llmroute/core/rate_limiter.hpp>
#include <llmroute/core/rng.hpp>
#include <thread>
#include <vector>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr RateLimits limits{.requests = {.per_minute = 3}, .tokens = {.per_minute = 100}};
constexpr RateLimits tokens_alone{.tokens = {.per_minute = 100}};

std::int64_t tokens_left(RateLimiter& limiter, Time now, const RateLimits& by = tokens_alone) {
  return limiter.reserve("a", by, 0, now).tokens.remaining;
}

}  // namespace

TEST_CASE("a subject has so many requests a minute, and others have theirs", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  std::vector<RateGrant> grants;
  for (int i = 0; i < 3; ++i) {
    grants.push_back(limiter.reserve("a", limits, 10, time));
    REQUIRE(grants.back().granted);
    CHECK(grants.back().requests.remaining == 2 - i);
    CHECK(grants.back().tokens.remaining == 90 - 10 * i);
  }
  const RateGrant refused = limiter.reserve("a", limits, 10, time);
  CHECK_FALSE(refused.granted);
  CHECK(refused.requests.remaining == 0);
  CHECK(refused.tokens.remaining == 70);
  CHECK(refused.retry_after > 59s);
  CHECK(refused.retry_after <= 61s);
  CHECK(limiter.reserve("b", limits, 10, time).granted);
  time.advance(refused.retry_after);
  CHECK(limiter.reserve("a", limits, 10, time).granted);
}

TEST_CASE("without limits nothing is remembered", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  const RateGrant grant = limiter.reserve("a", {}, 10, time);
  CHECK(grant.granted);
  CHECK(grant.requests.limit == 0);
  CHECK(limiter.size() == 0);
}

TEST_CASE("tokens are reserved, and settled by what was used", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  RateGrant grant = limiter.reserve("a", tokens_alone, 60, time);
  REQUIRE(grant.granted);
  CHECK_FALSE(limiter.reserve("a", tokens_alone, 60, time).granted);
  SECTION("less than was reserved") {
    grant.reservation.settle(25, time);
    CHECK(tokens_left(limiter, time) == 75);
  }
  SECTION("more") {
    grant.reservation.settle(90, time);
    CHECK(tokens_left(limiter, time) == 10);
  }
  SECTION("more than there are: the next waits longer") {
    grant.reservation.settle(150, time);
    CHECK(tokens_left(limiter, time) == 0);
    CHECK_FALSE(limiter.reserve("a", tokens_alone, 1, time).granted);
  }
  SECTION("once") {
    grant.reservation.settle(25, time);
    grant.reservation.settle(99, time);
    grant.reservation.progress(99, time);
    CHECK(tokens_left(limiter, time) == 75);
  }
}

TEST_CASE("tokens count while a stream runs", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  RateGrant grant = limiter.reserve("a", tokens_alone, 20, time);
  grant.reservation.progress(10, time);
  CHECK(tokens_left(limiter, time) == 80);
  grant.reservation.progress(50, time);
  grant.reservation.progress(40, time);  // an estimate that was above it
  CHECK(tokens_left(limiter, time) == 50);
  SECTION("and are corrected at its end") {
    grant.reservation.settle(45, time);
    CHECK(tokens_left(limiter, time) == 55);
  }
  SECTION("in the minute in which they were spent") {
    time.advance(50s);
    grant.reservation.progress(70, time);
    time.advance(11s);
    CHECK(tokens_left(limiter, time) == 80);
  }
}

TEST_CASE("what ends without an answer gives back", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  {
    RateGrant grant = limiter.reserve("a", limits, 60, time);
    REQUIRE(grant.granted);
    SECTION("request and tokens") {}
    SECTION("also when it was moved about") {
      RateReservation other = std::move(grant.reservation);
      grant.reservation = RateReservation();
      RateReservation third;
      third = std::move(other);
      CHECK(limiter.reserve("a", limits, 0, time).tokens.remaining == 40);
    }
  }
  const RateGrant next = limiter.reserve("a", limits, 0, time);
  CHECK(next.tokens.remaining == 100);
  CHECK(next.requests.remaining == 2);
}

TEST_CASE("what had begun to answer keeps what was spent", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  {
    RateGrant grant = limiter.reserve("a", limits, 60, time);
    grant.reservation.progress(5, time);
  }
  const RateGrant next = limiter.reserve("a", limits, 0, time);
  CHECK(next.tokens.remaining == 95);
  CHECK(next.requests.remaining == 1);
}

TEST_CASE("limits change from call to call", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  RateLimits by = limits;
  std::vector<RateGrant> grants;
  for (int i = 0; i < 3; ++i) grants.push_back(limiter.reserve("a", by, 0, time));
  CHECK_FALSE(limiter.reserve("a", by, 0, time).granted);
  by.requests.per_minute = 5;
  grants.push_back(limiter.reserve("a", by, 0, time));
  CHECK(grants.back().granted);
  CHECK(grants.back().requests.remaining == 1);
  by.requests.per_minute = 2;
  CHECK_FALSE(limiter.reserve("a", by, 0, time).granted);
  by.algorithm = RateAlgorithm::token_bucket;  // a new account
  CHECK(limiter.reserve("a", by, 0, time).granted);
}

TEST_CASE("a limiter of token buckets", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  const RateLimits by{.requests = {.per_minute = 300, .burst = 10},
                      .algorithm = RateAlgorithm::token_bucket};
  std::vector<RateGrant> grants;
  while (true) {
    grants.push_back(limiter.reserve("a", by, 0, time));
    if (!grants.back().granted) break;
  }
  CHECK(grants.size() == 11);
  CHECK(grants.back().retry_after == 200ms);
}

TEST_CASE("subjects that have nothing spent are forgotten", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  RateGrant kept = limiter.reserve("kept", limits, 1, time);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 1'000; ++i) {
      const std::string name = std::to_string(round) + "-" + std::to_string(i);
      limiter.reserve(name, limits, 1, time).reservation.settle(1, time);
    }
    time.advance(62s);
  }
  CHECK(limiter.size() < 6'000);
  kept.reservation.settle(100, time);
  CHECK(limiter.reserve("kept", limits, 0, time).tokens.remaining == 1);  // but for the first
}

TEST_CASE("a subject with a limit of one kind has the other's standing too", "[core][limits]") {
  ManualTime time;
  RateLimiter limiter;
  const RateGrant grant = limiter.reserve("a", tokens_alone, 1, time);
  CHECK(grant.requests.limit == 0);
  CHECK(grant.tokens.limit == 100);
}

TEST_CASE("threads never get one request more than the limit", "[core][limits][threads]") {
  ManualTime time;
  RateLimiter limiter;
  const RateLimits by{.requests = {.per_minute = 1'000}, .tokens = {.per_minute = 1'000'000}};
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'250; ++n) {
        RateGrant grant = limiter.reserve("a", by, 10, time);
        if (!grant.granted) continue;
        ++granted;
        grant.reservation.settle(5, time);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(granted == 1'000);
  const RateGrant after = limiter.reserve("a", by, 0, time);
  CHECK_FALSE(after.granted);
  CHECK(after.tokens.remaining == 1'000'000 - 5'000);
}

TEST_CASE("a limiter goes on in a forked child", "[core][limits][fork]") {
  ManualTime time;
  RateLimiter limiter;
  const RateGrant grant = limiter.reserve("a", limits, 10, time);
  limiter.reset_after_fork();
  CHECK(limiter.reserve("a", limits, 10, time).requests.remaining == 1);
}

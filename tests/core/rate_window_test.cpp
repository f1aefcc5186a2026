// What may be spent in a minute, whichever minute one looks at.
#include <catch2/catch.hpp>
#include <deque>
#include <llmroute/core/rate_window.hpp>
#include <llmroute/core/rng.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr RateLimit ten{.per_minute = 10};

bool fits(RateWindow& window, std::int64_t amount, Time now, const RateLimit& limit = ten) {
  return window.fits_at(amount, limit, now) <= now;
}

}  // namespace

TEST_CASE("a window takes its limit, and more when a minute has gone", "[core][rate_window]") {
  ManualTime time;
  RateWindow window;
  for (int i = 0; i < 10; ++i) {
    CHECK(fits(window, 1, time));
    window.add(1, time);
  }
  CHECK_FALSE(fits(window, 1, time));
  time.advance(59s);
  CHECK_FALSE(fits(window, 1, time));
  time.advance(2s);
  CHECK(fits(window, 10, time));
}

TEST_CASE("a window says when something fits", "[core][rate_window]") {
  ManualTime time;
  RateWindow window;
  window.add(6, time);
  time.advance(20s);
  window.add(4, time);
  const Time six = window.fits_at(6, ten, time);
  CHECK(six > time.now() + 39s);
  CHECK(six <= time.now() + 41s);
  const Time seven = window.fits_at(7, ten, time);
  CHECK(seven > time.now() + 59s);
  CHECK(seven <= time.now() + 61s);
  CHECK_FALSE(fits(window, 6, six - 1ns));
  CHECK(fits(window, 6, six));
}

TEST_CASE("more than the limit waits for an empty window", "[core][rate_window]") {
  ManualTime time;
  RateWindow window;
  CHECK(fits(window, 50, time));
  window.add(50, time);
  const Time again = window.fits_at(1, ten, time);
  CHECK(again > time.now() + 59s);
  CHECK(fits(window, 50, again));
}

TEST_CASE("what was added is corrected where it was added", "[core][rate_window]") {
  ManualTime time;
  RateWindow window;
  const RateMark first = window.add(10, time);
  time.advance(30s);
  window.change(first, -4);
  CHECK(fits(window, 4, time));
  CHECK_FALSE(fits(window, 5, time));
  window.add(4, time);
  time.advance(31s);
  window.change(first, -6);  // left by itself
  CHECK(fits(window, 6, time));
  CHECK_FALSE(fits(window, 7, time));
}

TEST_CASE("where a window stands", "[core][rate_window]") {
  ManualTime time;
  RateWindow window;
  CHECK(window.standing({}, time).limit == 0);
  RateStanding standing = window.standing(ten, time);
  CHECK(standing.limit == 10);
  CHECK(standing.remaining == 10);
  CHECK(standing.reset == 0s);
  CHECK(window.idle(ten, time));
  window.add(12, time);
  time.advance(10s);
  standing = window.standing(ten, time);
  CHECK(standing.remaining == 0);
  CHECK(standing.reset > 49s);
  CHECK(standing.reset <= 51s);
  CHECK_FALSE(window.idle(ten, time));
  time.advance(standing.reset);
  CHECK(window.idle(ten, time));
}

TEST_CASE("no minute holds more than the limit", "[core][rate_window][property]") {
  Rng rng(GENERATE(1, 2, 3));
  ManualTime time;
  RateWindow window;
  std::deque<std::pair<Time, std::int64_t>> granted;
  for (int i = 0; i < 20'000; ++i) {
    time.advance(std::chrono::milliseconds(rng.below(4'000)));
    if (rng.below(500) == 0) time.advance(200s);
    const std::int64_t amount = 1 + rng.below(3);
    if (!fits(window, amount, time)) continue;
    window.add(amount, time);
    granted.emplace_back(time.now(), amount);
    while (granted.front().first <= time.now() - 60s) granted.pop_front();
    std::int64_t sum = 0;
    for (const auto& [at, spent] : granted) sum += spent;
    REQUIRE(sum <= 10);
  }
}

TEST_CASE("a promise of a window is kept", "[core][rate_window][property]") {
  Rng rng(7);
  ManualTime time;
  RateWindow window;
  for (int i = 0; i < 5'000; ++i) {
    const std::int64_t amount = 1 + rng.below(10);
    const Time at = window.fits_at(amount, ten, time);
    REQUIRE(at - time.now() <= 61s);
    time.advance(at - time.now());
    REQUIRE(fits(window, amount, time));
    window.add(amount, time);
    time.advance(std::chrono::milliseconds(rng.below(2'000)));
  }
}

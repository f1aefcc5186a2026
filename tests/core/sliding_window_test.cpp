// Counts over the last so many seconds.
#include <catch2/catch.hpp>
#include <llmroute/core/sliding_window.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a sliding window", "[core][window]") {
  ManualTime time;
  SlidingWindow window(10s);
  CHECK(window.totals(time).count == 0);
  CHECK(window.totals(time).failure_rate() == 0);
  CHECK(window.totals(time).mean_seconds() == 0);
  window.add(true, 2s, time);
  window.add(false, 4s, time);
  SECTION("sums what it was given") {
    CHECK(window.totals(time).count == 2);
    CHECK(window.totals(time).failures == 1);
    CHECK(window.totals(time).failure_rate() == 0.5);
    CHECK(window.totals(time).mean_seconds() == 3);
  }
  SECTION("remembers for nine tenths of its length at least") {
    time.advance(9s);
    CHECK(window.totals(time).count == 2);
  }
  SECTION("forgets after its length") {
    time.advance(10s);
    CHECK(window.totals(time).count == 0);
  }
  SECTION("uses a bucket again") {
    time.advance(10s);
    window.add(false, 1s, time);
    CHECK(window.totals(time).count == 1);
    CHECK(window.totals(time).failures == 0);
  }
  SECTION("can be cleared") {
    window.clear();
    CHECK(window.totals(time).count == 0);
  }
}

TEST_CASE("a window shorter than its buckets still counts", "[core][window]") {
  ManualTime time;
  SlidingWindow window(0s);
  window.add(true, 1s, time);
  CHECK(window.totals(time).count == 1);
  time.advance(1us);
  CHECK(window.totals(time).count == 0);
}

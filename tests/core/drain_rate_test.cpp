// The rate at which a line moves.
#include <catch2/catch.hpp>
#include <llmroute/core/drain_rate.hpp>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("the rate of a line", "[core][admission]") {
  ManualTime time;
  DrainRate rate;
  rate.line_formed(time);
  for (int i = 0; i < 3; ++i) {
    time.advance(2s);
    rate.turn(time);
  }
  SECTION("is not known from few turns") { CHECK_FALSE(rate.time_for(1, true, time)); }
  time.advance(2s);
  rate.turn(time);
  SECTION("is turns over time") { CHECK(rate.time_for(10, true, time) == Duration(20s)); }
  SECTION("does not count the time in which nobody waited") {
    time.advance(30s);
    CHECK(rate.time_for(10, false, time) == Duration(20s));
    rate.line_formed(time);
    time.advance(2s);
    rate.turn(time);
    CHECK(rate.time_for(10, true, time) == Duration(20s));
  }
  SECTION("falls while the line stands still") {
    time.advance(8s);
    CHECK(rate.time_for(10, true, time) == Duration(40s));
  }
  SECTION("is forgotten after a minute") {
    time.advance(70s);
    CHECK_FALSE(rate.time_for(1, true, time));
  }
  SECTION("bears a clock that was read a little earlier") {
    rate.turn(time.now() - 1s);
    CHECK(rate.time_for(10, true, time) == Duration(16s));
  }
}

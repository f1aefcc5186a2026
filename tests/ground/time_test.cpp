// Moments and durations.
#include <catch2/catch.hpp>
#include <llmroute/core/time.hpp>

using namespace llmroute;
using namespace std::chrono_literals;

TEST_CASE("after() saturates at never", "[ground][time]") {
  const Time now{5s};
  CHECK(after(now, 2s) == Time{7s});
  CHECK(after(now, Duration::max()) == never);
  CHECK(after(now, never - now) == never);
  CHECK(after(now, never - now - 1ns) < never);
}

TEST_CASE("durations read as seconds", "[ground][time]") {
  CHECK(seconds(1500ms) == Approx(1.5));
  CHECK(seconds(-1ms) == Approx(-0.001));
}

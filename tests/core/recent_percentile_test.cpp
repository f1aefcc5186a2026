#include <catch2/catch.hpp>
#include <llmroute/core/recent_percentile.hpp>
#include <random>

using namespace llmroute;
using namespace std::chrono_literals;

TEST_CASE("a recent percentile", "[core][stats]") {
  RecentPercentile percentile;
  CHECK_FALSE(percentile.at(0.95));
  CHECK_FALSE(percentile.at(0.95, 0));
  std::mt19937 random(7);
  const auto add = [&](int count, double from, double to) {
    std::uniform_real_distribution<double> times(from, to);
    for (int i = 0; i < count; ++i) {
      percentile.add(
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(times(random))));
    }
  };
  add(1000, 0.1, 0.2);
  CHECK(seconds(*percentile.at(0.95)) == Approx(0.195).epsilon(0.1));
  CHECK(seconds(*percentile.at(0.5)) == Approx(0.15).epsilon(0.1));
  SECTION("forgets") {
    add(20000, 1.0, 2.0);
    CHECK(seconds(*percentile.at(0.95)) == Approx(1.95).epsilon(0.1));
    CHECK(seconds(*percentile.at(0.05)) > 0.9);
  }
  SECTION("is within 5 %") {
    for (double time = 0.0002; time < 1000; time *= 1.03) {
      RecentPercentile alone;
      alone.add(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time)));
      CHECK_FALSE(alone.at(0.5));
      CHECK(seconds(*alone.at(0.5, 1)) == Approx(time).epsilon(0.05));
    }
  }
  SECTION("bears any time") {
    percentile.add(0ns);
    percentile.add(Duration::max());
    CHECK(percentile.at(1.0));
  }
}

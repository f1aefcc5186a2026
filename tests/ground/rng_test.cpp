// The seeded generator. Each distribution states its draws and tolerance.
#include <array>
#include <catch2/catch.hpp>
#include <llmroute/core/rng.hpp>

using namespace llmroute;

TEST_CASE("the same seed gives the same numbers", "[ground][rng]") {
  Rng a(42);
  Rng b(42);
  Rng c(43);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = a();
    CHECK(number == b());
    CHECK(number != c());
  }
}

TEST_CASE("splitmix64 gives its published first numbers", "[ground][rng]") {
  Rng rng(1234567);
  CHECK(rng() == 6457827717110365317ULL);
  CHECK(rng() == 3203168211198807973ULL);
  CHECK(Rng::min() == 0);
  CHECK(Rng::max() == ~std::uint64_t{0});
}

TEST_CASE("below() is uniform and in range", "[ground][rng]") {
  Rng rng(7);
  std::array<int, 10> seen{};
  for (int i = 0; i < 100'000; ++i) {
    const std::uint32_t number = rng.below(10);
    REQUIRE(number < 10);
    ++seen[number];
  }
  for (const int count : seen) CHECK(count == Approx(10'000).margin(500));  // 5 sigma
  CHECK(rng.below(1) == 0);
}

TEST_CASE("unit() is uniform in [0, 1)", "[ground][rng]") {
  Rng rng(8);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double number = rng.unit();
    REQUIRE(number >= 0);
    REQUIRE(number < 1);
    sum += number;
  }
  CHECK(sum / 100'000 == Approx(0.5).margin(0.005));  // 5 sigma
}

TEST_CASE("two_distinct() gives every pair alike", "[ground][rng]") {
  Rng rng(9);
  std::array<std::array<int, 4>, 4> seen{};
  for (int i = 0; i < 120'000; ++i) {
    const auto [a, b] = rng.two_distinct(4);
    REQUIRE(a != b);
    ++seen[a][b];
  }
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) {
      CHECK(seen[a][b] == Approx(a == b ? 0 : 10'000).margin(500));
    }
  }
}

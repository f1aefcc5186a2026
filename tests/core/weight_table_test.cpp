// Weights made ready: the smooth sequence and the alias table.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <llmroute/core/weight_table.hpp>
#include <vector>

using namespace llmroute;

namespace {

WeightTable table(std::vector<double> weights) { return WeightTable(weights); }

std::vector<std::uint32_t> turns(const WeightTable& weights) {
  std::vector<std::uint32_t> result;
  for (std::size_t i = 0; i < weights.sequence_length(); ++i) result.push_back(weights.in_turn(i));
  return result;
}

std::vector<int> count(const WeightTable& weights, int draws, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<int> seen(weights.size());
  for (int i = 0; i < draws; ++i) ++seen.at(weights.at_random(rng));
  return seen;
}

using Turns = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("turns are smooth, as nginx has them", "[core][weights]") {
  CHECK(turns(table({5, 1, 1})) == Turns{0, 0, 1, 0, 2, 0, 0});
  CHECK(turns(table({1, 1, 1})) == Turns{0, 1, 2});
  CHECK(turns(table({2, 1})) == Turns{0, 1, 0});
}

TEST_CASE("weights are reduced to the smallest whole numbers", "[core][weights]") {
  CHECK(table({100, 100, 300}).sequence_length() == 5);
  CHECK(table({0.5, 1.5}).sequence_length() == 4);
  CHECK(table({0.2, 0.3}).sequence_length() == 5);
  CHECK(table({1, 2.5}).sequence_length() == 7);
}

TEST_CASE("proportions that have no small whole numbers are close", "[core][weights]") {
  const WeightTable weights = table({3.14159265, 2.71828182, 1.41421356});
  CHECK(weights.sequence_length() <= 4200);
  const Turns sequence = turns(weights);
  const double share = 3.14159265 / (3.14159265 + 2.71828182 + 1.41421356);
  const auto first = std::count(sequence.begin(), sequence.end(), 0U);
  CHECK(static_cast<double>(first) / static_cast<double>(sequence.size()) ==
        Approx(share).margin(0.001));
}

TEST_CASE("a tiny weight beside a huge one still gets a turn", "[core][weights]") {
  const Turns sequence = turns(table({1e9, 1}));
  CHECK(std::count(sequence.begin(), sequence.end(), 1U) == 1);
  CHECK(sequence.size() <= 4200);
}

TEST_CASE("a node of weight zero is never picked", "[core][weights]") {
  const double nothing = GENERATE(0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                                  std::numeric_limits<double>::infinity());
  const WeightTable weights = table({1, nothing, 1});
  CHECK(turns(weights) == Turns{0, 2});
  CHECK(count(weights, 10'000, 1)[1] == 0);
}

TEST_CASE("all are alike when all weigh nothing", "[core][weights]") {
  const WeightTable weights = table({0, 0});
  CHECK(turns(weights) == Turns{0, 1});
  CHECK(count(weights, 10'000, 1)[1] == Approx(5000).margin(250));  // 5 sigma
}

TEST_CASE("chance follows the weights", "[core][weights]") {
  const std::vector<double> weights{1, 2, 3.5, 0, 0.25, 8};
  const double sum = 14.75;
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  const std::vector<int> seen = count(WeightTable(weights), 200'000, seed);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double share = weights[i] / sum;
    const double tolerance = 5 * std::sqrt(200'000 * share * (1 - share)) + 0.5;
    CHECK(seen[i] == Approx(200'000 * share).margin(tolerance));
  }
}

TEST_CASE("one node is always the one", "[core][weights]") {
  const WeightTable weights = table({7});
  CHECK(weights.size() == 1);
  CHECK(turns(weights) == Turns{0});
  CHECK(count(weights, 100, 1)[0] == 100);
}

TEST_CASE("a table of nothing is empty", "[core][weights]") {
  CHECK(table({}).size() == 0);
  CHECK(WeightTable().sequence_length() == 0);
}

TEST_CASE("a large fleet of unlike weights is spread evenly too", "[core][weights]") {
  std::vector<double> weights(3000, 1.0);
  for (std::size_t i = 0; i < weights.size(); i += 3) weights[i] = 2;
  const Turns sequence = turns(WeightTable(weights));
  REQUIRE(sequence.size() == 4000);
  const auto turns_of = [&](std::uint32_t node) {
    return std::count(sequence.begin(), sequence.end(), node);
  };
  CHECK(turns_of(0) == 2);
  CHECK(turns_of(1) == 1);
  CHECK(turns_of(2999) == 1);
  const auto first = std::find(sequence.begin(), sequence.end(), 0U);
  const auto second = std::find(first + 1, sequence.end(), 0U);
  CHECK(second - first > 1000);  // half a round apart, not in a row
}

/// Weights of a candidate list made ready once, so that a weighted pick costs the same for four
/// nodes and ten thousand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <llmroute/core/rng.hpp>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace llmroute {

/// Immutable once built; any thread. A weight of zero (or below, or not a number) is never picked
/// unless all are.
class WeightTable {
 public:
  WeightTable() = default;
  explicit WeightTable(std::span<const double> weights);

  /// The entry whose turn it is: smooth weighted round robin. The caller counts the turns.
  std::uint32_t in_turn(std::uint64_t turn) const noexcept {
    return sequence_[static_cast<std::size_t>(turn % sequence_.size())];
  }

  /// An entry by chance, in proportion to its weight: Walker's alias method, one draw.
  std::uint32_t at_random(Rng& rng) const noexcept {
    const std::uint32_t slot = rng.below(static_cast<std::uint32_t>(alias_.size()));
    return rng.unit() < alias_[slot].own_share ? slot : alias_[slot].other;
  }

  std::size_t size() const noexcept { return alias_.size(); }
  std::size_t sequence_length() const noexcept { return sequence_.size(); }

 private:
  struct Slot {
    double own_share = 1;
    std::uint32_t other = 0;
  };

  static std::vector<std::uint32_t> to_integers(std::span<const double> weights);
  static std::vector<std::uint32_t> smooth_sequence(const std::vector<std::uint32_t>& weights);
  static std::vector<std::uint32_t> spread_sequence(const std::vector<std::uint32_t>& weights);
  void build_alias(std::span<const double> weights);

  std::vector<std::uint32_t> sequence_;
  std::vector<Slot> alias_;
};

inline WeightTable::WeightTable(std::span<const double> weights) {
  if (weights.empty()) return;
  std::vector<double> clean;
  clean.reserve(weights.size());
  for (const double weight : weights) {
    clean.push_back(weight > 0 && std::isfinite(weight) ? weight : 0);
  }
  if (*std::max_element(clean.begin(), clean.end()) == 0) clean.assign(clean.size(), 1.0);
  const std::vector<std::uint32_t> whole = to_integers(clean);
  const std::size_t length = std::accumulate(whole.begin(), whole.end(), std::size_t{0});
  constexpr std::size_t affordable = std::size_t{1} << 16;  // some 50 us
  sequence_ = length * whole.size() <= affordable ? smooth_sequence(whole) : spread_sequence(whole);
  build_alias(clean);
}

/// Small integers in the same proportions: exact where a small multiple of all weights is whole,
/// else rounded so that the sequence stays within 4,096 turns (or two a node in larger fleets);
/// every positive weight keeps at least one turn.
inline std::vector<std::uint32_t> WeightTable::to_integers(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double least = sum;
  for (const double weight : weights) {
    if (weight > 0) least = std::min(least, weight);
  }
  const double limit = std::max(4096.0, 2.0 * static_cast<double>(weights.size()));
  const auto whole = [&](double scale) {
    return std::all_of(weights.begin(), weights.end(), [&](double weight) {
      const double scaled = weight * scale;
      return std::abs(scaled - std::round(scaled)) < 1e-6;
    });
  };
  double scale = limit / sum;
  for (int multiple = 1; multiple <= 100 && sum / least * multiple <= limit; ++multiple) {
    if (!whole(multiple / least)) continue;
    scale = multiple / least;
    break;
  }
  std::vector<std::uint32_t> result;
  result.reserve(weights.size());
  for (const double weight : weights) {
    const double scaled = std::max(1.0, std::round(weight * scale));
    result.push_back(weight > 0 ? static_cast<std::uint32_t>(scaled) : 0);
  }
  return result;
}

/// nginx's smooth weighted round robin: each turn everyone gains their weight, the richest pays the
/// sum and is picked.
inline std::vector<std::uint32_t> WeightTable::smooth_sequence(
    const std::vector<std::uint32_t>& weights) {
  const auto sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  std::vector<std::int64_t> current(weights.size());
  std::vector<std::uint32_t> sequence;
  sequence.reserve(static_cast<std::size_t>(sum));
  for (std::int64_t turn = 0; turn < sum; ++turn) {
    for (std::size_t i = 0; i < weights.size(); ++i) current[i] += weights[i];
    const auto richest = std::max_element(current.begin(), current.end());
    *richest -= sum;
    sequence.push_back(static_cast<std::uint32_t>(richest - current.begin()));
  }
  return sequence;
}

/// The same proportions for fleets where the above would take too long: turn k of weight w belongs
/// at the share (k + 1/2) / w of the round. Sorted by counting, so linear.
inline std::vector<std::uint32_t> WeightTable::spread_sequence(
    const std::vector<std::uint32_t>& weights) {
  const std::size_t length = std::accumulate(weights.begin(), weights.end(), std::size_t{0});
  const auto each_turn = [&](auto&& visit) {
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
      for (std::uint64_t k = 0; k < weights[i]; ++k) {
        visit(i, static_cast<std::size_t>((2 * k + 1) * length / (2 * std::uint64_t{weights[i]})));
      }
    }
  };
  std::vector<std::size_t> start(length + 1);
  each_turn([&](std::uint32_t, std::size_t place) { ++start[place + 1]; });
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<std::uint32_t> sequence(length);
  each_turn([&](std::uint32_t node, std::size_t place) { sequence[start[place]++] = node; });
  return sequence;
}

/// Vose's linear construction (1991): slots that want less than their share are filled up by those
/// that want more.
inline void WeightTable::build_alias(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const auto count = static_cast<double>(weights.size());
  alias_.resize(weights.size());
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    alias_[i] = {weights[i] / sum * count, i};
    (alias_[i].own_share < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    alias_[poor].other = rich;
    alias_[rich].own_share -= 1 - alias_[poor].own_share;
    if (alias_[rich].own_share >= 1) continue;
    large.pop_back();
    small.push_back(rich);
  }
  for (const std::uint32_t rest : large) alias_[rest].own_share = 1;
  for (const std::uint32_t rest : small) {  // rounding left these a hair short of full
    alias_[rest].own_share = alias_[rest].other == rest ? 1 : alias_[rest].own_share;
  }
}

}  // namespace llmroute

/// How loaded a node would be with one call more: what load-minded strategies compare.
#pragma once

#include <llmroute/core/strategy.hpp>

namespace llmroute {

/// Calls in flight per unit of capacity, the new one counted, so that of two idle nodes the larger
/// comes first.
inline double load_with_one_more(const NodeView& node) noexcept {
  return (node.in_flight() + 1.0) / node.capacity();
}

/// Of equally good nodes met one after the other, keeps each with the same probability (reservoir
/// sampling).
class FairTie {
 public:
  explicit FairTie(Rng& rng) noexcept : rng_(rng) {}
  void restart() noexcept { met_ = 1; }
  bool takes_next() noexcept { return rng_.below(++met_) == 0; }

 private:
  Rng& rng_;
  std::uint32_t met_ = 1;
};

/// The index with the lowest score, ties at random. `score(view)` is called once a node.
template <class Score>
NodeIndex lowest(std::span<const NodeView> nodes, Rng& rng, Score&& score) {
  FairTie tie(rng);
  std::uint32_t best = 0;
  double best_score = score(nodes[0]);
  for (std::uint32_t i = 1; i < nodes.size(); ++i) {
    const double candidate = score(nodes[i]);
    if (candidate > best_score) continue;
    if (candidate == best_score && !tie.takes_next()) continue;
    if (candidate < best_score) tie.restart();
    best = i;
    best_score = candidate;
  }
  return NodeIndex{best};
}

}  // namespace llmroute

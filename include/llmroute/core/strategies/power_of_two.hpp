/// Two nodes by chance, the less loaded one kept: the default.
#pragma once

#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// Draws two different nodes and keeps the one with less work per unit of capacity. Two draws come
/// close to the global minimum at constant cost, and callers with stale views do not all rush to
/// the same node (Mitzenmacher, 2001).
class PowerOfTwo {
 public:
  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&,
                 PickContext& context) const noexcept {
    if (nodes.size() == 1) return NodeIndex{0};
    const auto [a, b] = context.rng.two_distinct(nodes.size());
    return load_with_one_more(nodes[a]) <= load_with_one_more(nodes[b]) ? NodeIndex{a}
                                                                        : NodeIndex{b};
  }

  static double score(const NodeView& node, const PickRequest&, Time) noexcept {
    return load_with_one_more(node);
  }
};
static_assert(Picker<PowerOfTwo>);

}  // namespace llmroute

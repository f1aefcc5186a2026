/// The most preferred nodes only; the others when none of those is left.
#pragma once

#include <algorithm>
#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// Two nodes of the lowest priority value by chance, the less loaded one kept. Linear in the nodes,
/// without allocation: one pass finds the lowest value, counts its nodes; a second finds the two
/// that were drawn.
class LowestPriority {
 public:
  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext& context) const {
    int lowest_value = nodes[0].priority();
    std::uint32_t count = 0;
    for (const NodeView& node : nodes) {
      if (node.priority() < lowest_value) lowest_value = node.priority(), count = 0;
      if (node.priority() == lowest_value) ++count;
    }
    if (count == 1) return nth(nodes, lowest_value, 0);
    const auto [a, b] = context.rng.two_distinct(count);
    const NodeIndex first = nth(nodes, lowest_value, a);
    const NodeIndex second = nth(nodes, lowest_value, b);
    return load(nodes, first) <= load(nodes, second) ? first : second;
  }

  static double score(const NodeView& node, const PickRequest&, Time) noexcept {
    return node.priority();
  }

 private:
  /// The n-th node of that priority.
  static NodeIndex nth(std::span<const NodeView> nodes, int priority, std::uint32_t n) noexcept {
    std::uint32_t i = 0;
    while (nodes[i].priority() != priority || n-- != 0) ++i;
    return NodeIndex{i};
  }

  static double load(std::span<const NodeView> nodes, NodeIndex index) noexcept {
    return load_with_one_more(nodes[static_cast<std::uint32_t>(index)]);
  }
};
static_assert(Picker<LowestPriority>);

}  // namespace llmroute

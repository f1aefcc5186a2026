/// The node with the least load of all, ties at random.
#pragma once

#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// Exact where one process sees all calls; many processes with stale views are better served by
/// p2c. Linear in the nodes.
class LeastLoaded {
 public:
  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext& context) const {
    return lowest(nodes, context.rng, load_with_one_more);
  }

  static double score(const NodeView& node, const PickRequest&, Time) noexcept {
    return load_with_one_more(node);
  }
};
static_assert(Picker<LeastLoaded>);

}  // namespace llmroute

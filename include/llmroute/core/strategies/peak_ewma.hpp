/// Of two nodes by chance the one that is quicker under its present load.
#pragma once

#include <limits>
#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// Cost = peak moving average of the time a caller waits (first content of streams, whole answers
/// of plain calls; tau 10 s) times the calls it would have in flight, compared between two draws
/// (Finagle's peak EWMA). One slow answer turns the next calls away at once, and its memory fades.
/// A node without a figure is tried while it is idle.
class PeakEwmaBalancer {
 public:
  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest& request,
                 PickContext& context) const noexcept {
    if (nodes.size() == 1) return NodeIndex{0};
    const auto [a, b] = context.rng.two_distinct(nodes.size());
    return score(nodes[a], request, context.now) <= score(nodes[b], request, context.now)
               ? NodeIndex{a}
               : NodeIndex{b};
  }

  /// Seconds.
  static double score(const NodeView& node, const PickRequest&, Time now) noexcept {
    const PeakEwma& wait = node.stats().wait_seconds;
    if (wait.seen()) return wait.decayed(now) * load_with_one_more(node);
    return node.in_flight() == 0 ? 0 : std::numeric_limits<double>::infinity();
  }
};
static_assert(Picker<PeakEwmaBalancer>);

}  // namespace llmroute

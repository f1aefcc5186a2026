/// The node that has been answering fastest.
#pragma once

#include <limits>
#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// Lowest moving average: time to first content for streams, time per output token for plain calls,
/// ties at random. A node without a figure is tried while it is idle, one call at a time, so a new
/// node gets its chance without a stampede. Figures fade with age: a node that was slow once is
/// asked again before long. Linear in the nodes.
class LatencyBased {
 public:
  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest& request,
                 PickContext& context) const {
    return lowest(nodes, context.rng,
                  [&](const NodeView& node) { return score(node, request, context.now); });
  }

  /// Seconds.
  static double score(const NodeView& node, const PickRequest& request, Time now) noexcept {
    const NodeStats& stats = node.stats();
    const Ewma& figure = request.stream ? stats.first_content_seconds : stats.per_token_seconds;
    if (figure.seen()) return figure.decayed(now);
    return node.in_flight() == 0 ? 0 : std::numeric_limits<double>::infinity();
  }
};
static_assert(Picker<LatencyBased>);

}  // namespace llmroute

/// The node that says it has the least to do.
#pragma once

#include <llmroute/core/strategies/load.hpp>

namespace llmroute {

/// (running x 3 + waiting) / capacity, from the node's own report, ties at random. The calls this
/// process has sent since the report, and those that have ended, are counted, so that all calls of
/// an interval do not rush to the node that was idle at its beginning. Of a node without a report
/// nothing is known, which is not nothing: picks take others to use it as much as they use the
/// known ones on average. Linear in the nodes.
class VllmLoad {
 public:
  static constexpr bool wants_load_reports = true;

  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext& context) const {
    const double usual = work_of_others(nodes, context.now);
    return lowest(nodes, context.rng, [&](const NodeView& node) {
      const OthersLoad& others = node.stats().others;
      const double share = others.known(context.now) ? others.work() / node.capacity() : usual;
      return share + own(node);
    });
  }

  /// Of a node without a report, what this process has there.
  static double score(const NodeView& node, const PickRequest&, Time now) noexcept {
    const OthersLoad& others = node.stats().others;
    return (others.known(now) ? others.work() / node.capacity() : 0) + own(node);
  }

 private:
  static double own(const NodeView& node) noexcept {
    return running_weight * node.in_flight() / node.capacity();
  }

  /// Per unit of capacity, the mean of those that report.
  static double work_of_others(std::span<const NodeView> nodes, Time now) noexcept {
    double sum = 0;
    int known = 0;
    for (const NodeView& node : nodes) {
      if (!node.stats().others.known(now)) continue;
      sum += node.stats().others.work() / node.capacity();
      ++known;
    }
    return known == 0 ? 0 : sum / known;
  }
};
static_assert(Picker<VllmLoad>);

}  // namespace llmroute

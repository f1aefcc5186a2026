/// A few nodes as a strategy sees them, without a pool around them.
#pragma once

#include <deque>
#include <llmroute/core/make_strategy.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/manual_time.hpp"

namespace llmroute::test {

/// Nodes "0", "1", ... with weights, capacities and priorities as given; figures are set through
/// `stats(i)`.
class Fleet {
 public:
  explicit Fleet(std::vector<NodeConfig> configs) {
    std::vector<double> weights;
    for (NodeConfig& config : configs) {
      config.name = std::to_string(configs_.size());
      weights.push_back(config.weight);
      configs_.push_back(std::move(config));
      stats_.emplace_back();
      views_.emplace_back(configs_.back(), stats_.back(), configs_.back().weight);
    }
    table_ = WeightTable(weights);
  }
  explicit Fleet(std::size_t size) : Fleet(std::vector<NodeConfig>(size)) {}

  NodeStats& stats(std::size_t node) { return stats_.at(node); }
  std::span<const NodeView> views() const { return views_; }

  std::size_t pick(Strategy& strategy, const PickRequest& request = {}) {
    PickContext context{rng, time, table_};
    return static_cast<std::size_t>(strategy.pick(views_, request, context));
  }

  /// How often each node is picked.
  std::vector<int> picks(Strategy& strategy, int times, const PickRequest& request = {}) {
    std::vector<int> seen(views_.size());
    for (int i = 0; i < times; ++i) ++seen.at(pick(strategy, request));
    return seen;
  }

  ManualTime time;
  Rng rng{42};

 private:
  std::deque<NodeConfig> configs_;
  std::deque<NodeStats> stats_;
  std::vector<NodeView> views_;
  WeightTable table_;
};

}  // namespace llmroute::test

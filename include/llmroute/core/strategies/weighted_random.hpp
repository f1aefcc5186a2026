/// A node by chance, in proportion to its weight.
#pragma once

#include <llmroute/core/strategy.hpp>

namespace llmroute {

/// Stateless, so processes need no agreement; one draw from the candidate list's alias table.
class WeightedRandom {
 public:
  NodeIndex pick(std::span<const NodeView>, const PickRequest&,
                 PickContext& context) const noexcept {
    return NodeIndex{context.weights.at_random(context.rng)};
  }
};
static_assert(Picker<WeightedRandom>);

}  // namespace llmroute

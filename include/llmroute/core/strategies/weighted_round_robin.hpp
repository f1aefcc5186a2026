/// The next node in turn, heavier nodes more often, evenly interleaved.
#pragma once

#include <atomic>
#include <cstdint>
#include <llmroute/core/strategy.hpp>

namespace llmroute {

/// nginx's smooth weighted round robin over the sequence in the candidate list's WeightTable: a
/// pick is one addition.
class WeightedRoundRobin {
 public:
  explicit WeightedRoundRobin(std::uint64_t seed = 0) noexcept : turn_(Rng(seed)() >> 1) {}

  NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext& context) noexcept {
    return NodeIndex{context.weights.in_turn(turn_.fetch_add(1, std::memory_order_relaxed))};
  }

 private:
  std::atomic<std::uint64_t> turn_;
};
static_assert(Picker<WeightedRoundRobin>);

}  // namespace llmroute

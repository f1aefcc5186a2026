/// The next node in turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <llmroute/core/strategy.hpp>

namespace llmroute {

/// Begins at a place decided by the seed, so that many processes started together do not all greet
/// the first node.
class RoundRobin {
 public:
  explicit RoundRobin(std::uint64_t seed = 0) noexcept : turn_(Rng(seed)() >> 1) {}

  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext&) noexcept {
    const std::uint64_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    return NodeIndex{static_cast<std::uint32_t>(turn % nodes.size())};
  }

 private:
  std::atomic<std::uint64_t> turn_;
};
static_assert(Picker<RoundRobin>);

}  // namespace llmroute

/// What is known of a node at one moment, for pages and metrics.
#pragma once

#include <algorithm>
#include <cstdint>
#include <llmroute/core/pool_snapshot.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace llmroute {

/// What snapshots tell of a node.
struct NodeStatus {
  std::shared_ptr<const Node> node;  ///< configuration and counters
  bool healthy = true;               ///< by probes, and not ejected
  bool draining = false;
  double weight = 1;                            ///< slow start included
  BreakerState breaker = BreakerState::closed;  ///< the worst of the node's own and its models'
  std::uint64_t breaker_opened = 0;             ///< of all of them
  Duration breaker_retry_in{};                  ///< until the first open one lets a probe in
  std::vector<std::string> models{};            ///< configured or learnt
  int keys_resting = 0;                         ///< of its keys, for any model
  std::optional<TimedReport> reported{};        ///< the node's last report, if it is still valid
};

inline NodeStatus status_of(const PoolSnapshot::Entry& entry, Time now) {
  NodeState& state = entry.node->state();
  NodeStatus status;
  status.node = entry.node;
  status.draining = entry.node->draining();
  if (entry.models != nullptr) status.models = *entry.models;
  Time first = never;
  const auto look_at = [&](const CircuitBreaker& breaker) {
    const BreakerState found = breaker.state(now);
    status.breaker_opened += breaker.opened();
    if (found == BreakerState::open) first = std::min(first, breaker.retry_at());
    const bool worse = found == BreakerState::open || status.breaker == BreakerState::closed;
    if (found != BreakerState::closed && worse) status.breaker = found;
  };
  const std::lock_guard guard(state.lock);
  status.healthy = state.health.in(now);
  status.weight = entry.node->config().weight * state.health.weight_factor(now);
  if (state.reported && now < state.reported->valid_until) status.reported = state.reported;
  look_at(state.breaker);
  for (const auto& [model, pair] : state.pairs) look_at(pair->breaker);
  if (first != never) status.breaker_retry_in = first - now;
  const NodeKeys& keys = entry.node->keys();
  status.keys_resting = static_cast<int>(std::count_if(
      keys.begin(), keys.end(), [&](const auto& key) { return key->rests_somewhere(now); }));
  return status;
}

}  // namespace llmroute

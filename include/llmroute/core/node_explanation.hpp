/// Why a call of this moment would go where it would: every node's part in a pick that is not made.
#pragma once

#include <algorithm>
#include <llmroute/core/candidates.hpp>
#include <llmroute/core/pool_snapshot.hpp>
#include <llmroute/core/pool_state.hpp>
#include <llmroute/core/strategy.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// One node's part in a pick.
struct NodeExplanation {
  std::string node{};
  bool admissible = false;
  std::string reason{};           ///< why not: "draining", "does not serve the model", ...
  std::optional<double> score{};  ///< what the strategy compares, the least the best
  bool picked = false;            ///< a call of this moment would have gone here
  int keys = 1;                   ///< a node without any has one that is not sent
  int keys_resting = 0;           ///< of them, for the model
};

/// Every node of the pool. Enters nothing.
std::vector<NodeExplanation> explain_pick(const PoolState& state, const PoolSnapshot& snapshot,
                                          Strategy& strategy, const PickRequest& request, Rng& rng,
                                          Time now);

namespace detail {

inline constexpr std::string_view node_full = "at max_concurrent_requests";

/// In the order a pick looks at it; empty: nothing speaks against the node.
inline std::string why_not(const PoolSnapshot::Entry& entry, bool serves, std::string_view model_id,
                           Time now) {
  if (!serves) return "does not serve the model";
  const Node& node = *entry.node;
  if (node.draining()) return "draining";
  const int cap = node.cap();
  if (cap > 0 && node.stats().in_flight.load() >= cap) return std::string(node_full);
  NodeState& state = node.state();
  const std::lock_guard guard(state.lock);
  const auto pair = state.pairs.find(model_id);
  const bool known = pair != state.pairs.end();
  const PairState* const at = known ? pair->second.get() : nullptr;
  if (node.keys_rest_until(at) > now)
    return node.several_keys() ? "its keys rest" : "its key rests";
  if (state.breaker.state(now) == BreakerState::open) return "its breaker is open";
  if (known && pair->second->breaker.state(now) == BreakerState::open) {
    return "its breaker for the model is open";
  }
  if (state.lacks(model_id, now)) return "answered that it has not got the model";
  return state.health.in(now) ? "" : "unhealthy";
}

inline void count_keys(const PoolSnapshot::Entry& entry, std::string_view model_id, Time now,
                       NodeExplanation& node) {
  NodeState& state = entry.node->state();
  const std::lock_guard guard(state.lock);
  const auto pair = state.pairs.find(model_id);
  node.keys = static_cast<int>(entry.node->keys().size());
  node.keys_resting =
      entry.node->keys_resting(pair == state.pairs.end() ? nullptr : pair->second.get(), now);
}

}  // namespace detail

inline std::vector<NodeExplanation> explain_pick(const PoolState& state,
                                                 const PoolSnapshot& snapshot, Strategy& strategy,
                                                 const PickRequest& request, Rng& rng, Time now) {
  std::vector<NodeExplanation> nodes;
  std::shared_ptr<const CandidateList> list;
  std::vector<Member> members;
  CandidateSlot* slot = snapshot.slot(request.model);
  if (slot != nullptr) {
    members = snapshot.members(*slot);
    list = CandidateBuilder(state, slot->heard_of(), slot->model_id(), now).build(members);
  }
  for (const PoolSnapshot::Entry& entry : snapshot.entries()) {
    NodeExplanation node{.node = entry.node->name()};
    const auto asked = [&](const Member& member) { return member.node == entry.node; };
    const bool serves = std::any_of(members.begin(), members.end(), asked);
    const std::string_view model_id = slot == nullptr ? request.model : slot->model_id();
    node.reason = detail::why_not(entry, serves, model_id, now);
    detail::count_keys(entry, model_id, now, node);
    nodes.push_back(std::move(node));
  }
  if (list == nullptr || list->front.empty()) return nodes;
  PickRequest question = request;
  if (slot->heard_of()) question.model = slot->model_id();
  const CandidateGroup& front = list->front;
  PickContext context{rng, now, front.weights};
  const auto picked = static_cast<std::uint32_t>(strategy.pick(front.views, question, context));
  for (std::uint32_t i = 0; i < front.size(); ++i) {
    const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const NodeExplanation& node) {
      return node.node == front.views[i].name();
    });
    if (found == nodes.end()) continue;
    const bool full = found->reason == detail::node_full;
    found->admissible = !full;
    if (!full) found->reason.clear();  // ill health is ignored where all are ill
    found->score = strategy.score(front.views[i], question, now);
    found->picked = i == picked && !full;
  }
  return nodes;
}

}  // namespace llmroute

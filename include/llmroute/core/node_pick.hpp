/// One pick: draws from the ready-made candidates, and looks at each of them only when luck runs
/// out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <llmroute/core/candidates.hpp>
#include <llmroute/core/node_ticket.hpp>
#include <llmroute/core/strategy.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute {

struct PickOutcome {
  NodeTicket ticket{};  ///< empty: see miss
  PickMiss miss = PickMiss::none;
  Time retry_at = never;  ///< all_down, all_resting: when the first of them may be asked again
  explicit operator bool() const noexcept { return miss == PickMiss::none; }
};

/// Whom a call does not want to ask, from what it has seen so far.
struct Exclusions {
  std::span<const NodeId> tried{};        ///< not at all
  std::span<const NodeId> put_off{};      ///< only when no other of the same standing can be had
  std::span<const KeyRefusal> refused{};  ///< keys, of nodes that have several
};

/// Lives for one acquire(). Lists are a little stale and caps change by the microsecond, so a
/// candidate is only had once it has been entered: its cap and its breakers say so under the node's
/// own lock.
class NodePick {
 public:
  struct Question {
    Strategy& strategy;
    PickRequest request;  ///< model: the id nodes are asked for
    std::string_view path;
    const Exclusions& besides;
    Rng& rng;
    Time now;
    bool heard_of;  ///< the model's absence is in the candidate list already
  };

  NodePick(PoolState& pool, const Question& question, PickOutcome& outcome) noexcept
      : pool_(pool), ask_(question), outcome_(outcome) {}

  /// Fills in the outcome.
  void from(const CandidateList& list);

 private:
  /// How it went with one candidate, the best reason to wait last.
  enum class Entry : std::uint8_t { in, gone, tried, put_off, lacking, resting, blocked, busy };
  enum class Lacking : std::uint8_t { avoid, accept };

  bool draw(const CandidateGroup& group);
  bool scan(const CandidateGroup& group, Lacking lacking);
  Entry look(const Member& member, bool forced, Lacking lacking);
  Entry enter(const Member& member, bool forced, Lacking lacking);
  bool enter_breakers(const Member& member, bool forced, std::uint32_t key);
  std::optional<std::uint32_t> choose_key(const Member& member);
  bool refused(const NodeKey& key) const noexcept;
  std::uint32_t choose(std::span<const NodeView> views, const WeightTable& weights);
  bool lacks(const NodeState& state) const;
  bool scan_put_off(const CandidateGroup& group);
  static bool is_among(std::span<const NodeId> nodes, const Member& member) noexcept;
  void note(Entry entry) noexcept { seen_[static_cast<std::size_t>(entry)] = true; }
  bool seen(Entry entry) const noexcept { return seen_[static_cast<std::size_t>(entry)]; }
  void note_blocked(const Member& member);
  PickMiss reason() const noexcept;

  PoolState& pool_;
  const Question& ask_;
  PickOutcome& outcome_;
  Time retry_at_ = never;
  Time rested_at_ = never;
  bool putting_off_ = true;
  bool seen_[8] = {};
};

inline void NodePick::from(const CandidateList& list) {
  if (list.front.empty()) {
    outcome_.miss = list.miss;
    outcome_.retry_at = list.retry_at;
    return;
  }
  const bool had = draw(list.front) || scan(list.front, Lacking::avoid) ||
                   scan_put_off(list.front) || scan(list.behind, Lacking::avoid) ||
                   (seen(Entry::lacking) && scan(list.front, Lacking::accept));
  if (had) return;
  outcome_.miss = reason();
  if (outcome_.miss == PickMiss::all_down) outcome_.retry_at = retry_at_;
  if (outcome_.miss == PickMiss::all_resting) outcome_.retry_at = rested_at_;
}

inline PickMiss NodePick::reason() const noexcept {
  if (seen(Entry::busy)) return PickMiss::all_busy;
  if (seen(Entry::blocked)) return PickMiss::all_down;
  if (seen(Entry::resting)) return PickMiss::all_resting;
  return seen(Entry::tried) ? PickMiss::all_tried : PickMiss::no_nodes;
}

inline std::uint32_t NodePick::choose(std::span<const NodeView> views, const WeightTable& weights) {
  PickContext context{ask_.rng, ask_.now, weights};
  const auto index = static_cast<std::uint32_t>(ask_.strategy.pick(views, ask_.request, context));
  return index < views.size() ? index : 0;  // a strategy of the user's own may be wrong
}

/// A first draw and up to four more. In a small fleet with tried nodes the scan is the shorter way.
inline bool NodePick::draw(const CandidateGroup& group) {
  constexpr std::size_t small = 16;
  constexpr int most = 5;
  if (!ask_.besides.tried.empty() && group.size() <= small) return false;
  const int draws = group.size() == 1 ? 1 : most;
  for (int i = 0; i < draws; ++i) {
    const Member& member = *group.members[choose(group.views, group.weights)];
    const Entry entry = enter(member, group.forced, Lacking::avoid);
    if (entry == Entry::in) return true;
  }
  return false;
}

inline bool NodePick::scan(const CandidateGroup& group, Lacking lacking) {
  std::vector<NodeView> views;
  std::vector<const Member*> members;
  std::vector<double> weights;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const Entry entry = look(*group.members[i], group.forced, lacking);
    note(entry);
    if (entry != Entry::in) continue;
    views.push_back(group.views[i]);
    members.push_back(group.members[i]);
    weights.push_back(group.views[i].weight());
  }
  while (!views.empty()) {
    const WeightTable table(weights);
    const std::uint32_t index = choose(views, table);
    const Entry entry = enter(*members[index], group.forced, lacking);
    if (entry == Entry::in) return true;
    note(entry);  // another thread was quicker
    views.erase(views.begin() + index);
    members.erase(members.begin() + index);
    weights.erase(weights.begin() + index);
  }
  return false;
}

/// Those that were put off have their turn before any that is known to be worse. From here on they
/// are candidates like others.
inline bool NodePick::scan_put_off(const CandidateGroup& group) {
  putting_off_ = false;
  return seen(Entry::put_off) && scan(group, Lacking::avoid);
}

inline bool NodePick::is_among(std::span<const NodeId> nodes, const Member& member) noexcept {
  return std::find(nodes.begin(), nodes.end(), member.node->id()) != nodes.end();
}

inline bool NodePick::lacks(const NodeState& state) const {
  if (state.absent_count.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard guard(state.lock);
  return state.lacks(ask_.path, ask_.now) ||
         (!ask_.heard_of && state.lacks(ask_.request.model, ask_.now));
}

inline bool NodePick::refused(const NodeKey& key) const noexcept {
  return std::any_of(ask_.besides.refused.begin(), ask_.besides.refused.end(),
                     [&](const KeyRefusal& refusal) { return refusal.key == key.id(); });
}

/// Of several keys the one used least recently among those that neither rest nor have been refused
/// to this call.
inline std::optional<std::uint32_t> NodePick::choose_key(const Member& member) {
  const NodeKeys& keys = member.node->keys();
  NodeState& state = member.node->state();
  const std::lock_guard guard(state.lock);
  NodeKey* chosen = nullptr;
  std::uint32_t place = 0;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    const Time rest = keys[i]->rests_until(member.pair);
    if (rest > ask_.now) rested_at_ = std::min(rested_at_, rest);
    if (rest > ask_.now || refused(*keys[i])) continue;
    if (chosen != nullptr && chosen->last_turn <= keys[i]->last_turn) continue;
    chosen = keys[i].get();
    place = i;
  }
  if (chosen == nullptr) return std::nullopt;
  chosen->last_turn = ++state.key_turns;
  return place;
}

/// What enter() would say, without entering.
inline NodePick::Entry NodePick::look(const Member& member, bool forced, Lacking lacking) {
  const Node& node = *member.node;
  const NodeState& state = node.state();
  if (node.draining()) return Entry::gone;
  if (is_among(ask_.besides.tried, member)) return Entry::tried;
  if (putting_off_ && is_among(ask_.besides.put_off, member)) return Entry::put_off;
  if (lacking == Lacking::avoid && lacks(state)) return Entry::lacking;
  const int cap = node.cap();
  if (cap > 0 && state.stats.in_flight.load(std::memory_order_relaxed) >= cap) return Entry::busy;
  if (forced) return Entry::in;
  {
    const std::lock_guard guard(state.lock);
    if (state.breaker.admits(ask_.now) && member.pair->breaker.admits(ask_.now)) return Entry::in;
  }
  note_blocked(member);
  return Entry::blocked;
}

/// When the breakers in the way let someone in. While a probe is out nobody knows: a moment later,
/// then.
inline void NodePick::note_blocked(const Member& member) {
  constexpr Duration moment = std::chrono::milliseconds(250);
  const NodeState& state = member.node->state();
  const std::lock_guard guard(state.lock);
  Time again = ask_.now;
  const auto wait_for = [&](const CircuitBreaker& breaker) {
    if (breaker.admits(ask_.now)) return;
    const Time opens = breaker.retry_at();
    again = std::max(again, opens > ask_.now ? opens : after(ask_.now, moment));
  };
  wait_for(state.breaker);
  wait_for(member.pair->breaker);
  retry_at_ = std::min(retry_at_, again);
}

inline NodePick::Entry NodePick::enter(const Member& member, bool forced, Lacking lacking) {
  const Node& node = *member.node;
  NodeState& state = node.state();
  if (node.draining()) return Entry::gone;
  if (is_among(ask_.besides.tried, member)) return Entry::tried;
  if (putting_off_ && is_among(ask_.besides.put_off, member)) return Entry::put_off;
  if (lacking == Lacking::avoid && lacks(state)) return Entry::lacking;
  std::uint32_t key = 0;
  if (node.several_keys()) {
    const std::optional<std::uint32_t> chosen = choose_key(member);
    if (!chosen) return Entry::resting;
    key = *chosen;
  }
  const int cap = node.cap();
  int running = state.stats.in_flight.load(std::memory_order_relaxed);
  do {
    if (cap > 0 && running >= cap) return Entry::busy;
  } while (!state.stats.in_flight.compare_exchange_weak(running, running + 1,
                                                        std::memory_order_acq_rel));
  if (enter_breakers(member, forced, key)) return Entry::in;
  state.stats.in_flight.fetch_sub(1, std::memory_order_acq_rel);
  note_blocked(member);
  return Entry::blocked;
}

inline bool NodePick::enter_breakers(const Member& member, bool forced, std::uint32_t key) {
  NodeState& state = member.node->state();
  CircuitBreaker& pair = member.pair->breaker;
  std::optional<CircuitBreaker::Pass> of_node;
  std::optional<CircuitBreaker::Pass> of_pair;
  {
    const std::lock_guard guard(state.lock);
    of_node = forced ? state.breaker.enter_anyway(ask_.now) : state.breaker.try_enter(ask_.now);
    if (!of_node) return false;
    of_pair = forced ? pair.enter_anyway(ask_.now) : pair.try_enter(ask_.now);
    if (!of_pair) {
      state.breaker.abandon(*of_node);
      return false;
    }
  }
  state.stats.requests.fetch_add(1, std::memory_order_relaxed);
  const std::string_view model = ask_.heard_of ? member.pair->model : ask_.request.model;
  outcome_.ticket = NodeTicket(pool_, member.node, *member.pair, model, key, *of_node, *of_pair);
  using Kind = NodeChange::Kind;
  if (of_node->first_probe) pool_.announce(Kind::breaker_half_open, member.node->name());
  if (of_pair->first_probe) {
    pool_.announce(Kind::breaker_half_open, member.node->name(), member.pair->model);
  }
  return true;
}

}  // namespace llmroute

/// The nodes there are, and for every call one of them: who may be asked and what is known of each.
///
///     NodePool pool(options, nodes, models, seed, now);
///     NodePool::Reader reader(pool);                                       // one a loop
///     PickOutcome picked = reader.acquire(*strategy, request, path, tried, rng, now);
///     if (!picked) return why(picked.miss);
///     ... ask picked.ticket.node() for picked.ticket.model_id() ...
///     picked.ticket.record(Outcome{.latency = later - now}, later);
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <llmroute/core/node_pick.hpp>
#include <llmroute/core/node_status.hpp>
#include <llmroute/core/node_ticket.hpp>
#include <llmroute/core/pool_snapshot.hpp>
#include <llmroute/core/pool_state.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute {

/// Thread safe. A node's identity is its name; an empty name is replaced by the URL. What is known
/// of a node survives update and replace, and a removed node lives until its last ticket ends.
class NodePool {
 public:
  NodePool(PoolOptions options, std::vector<NodeConfig> nodes, std::vector<ModelConfig> models,
           std::uint64_t seed, Time now);
  NodePool(const NodePool&) = delete;
  NodePool& operator=(const NodePool&) = delete;

  /// One loop's view of the pool: keeps the present snapshot and compares one number a pick. One
  /// thread at a time.
  class Reader;

  // Who is in the pool. False when there already is, or is no, node of that name.
  bool add(NodeConfig node, Time now);
  bool update(NodeConfig node, Time now);
  bool remove(std::string_view name, Time now);   ///< calls on it go on to their end
  bool drain(std::string_view name, bool drain);  ///< takes no new calls while true

  /// All at once, for a reload. Of two nodes of one name the first counts.
  void replace(std::vector<NodeConfig> nodes, std::vector<ModelConfig> models, Time now);

  // What has been found out. A node that has left meanwhile is no error.
  /// The node answered 404 or the like for a model id or a path.
  void mark_absent(NodeId node, std::string_view model_or_path, Time until, Time now);
  /// A key of the node is not to be used for a model id (empty: for any) until then. The result:
  /// when the first of the node's keys may be used for it.
  Time rest_key(NodeId node, KeyId key, std::string_view model_id, Time until);
  /// The ids in its own list of models; an empty list says nothing. Ignored where models are
  /// configured.
  void models_learnt(std::string_view node, std::vector<std::string> ids, Time now);
  /// An active probe came back. One that brings a node back, or that reached one which could not be
  /// connected to, also ends the wait of its breakers: the next call finds out.
  void probe_result(std::string_view node, bool ok, Time now);

  // What may be asked.
  /// Whether callers may ask for it: an active alias, or an unlisted model that some node has or
  /// may have.
  bool knows_model(std::string_view model) const { return current()->knows_model(model); }
  /// Active aliases, and unlisted models where they are served; sorted.
  std::vector<std::string> models() const { return current()->models(); }
  /// Whether the node is among those asked for a model (alias or id).
  bool serves(const Node& node, std::string_view model) const;
  /// The alias's configuration, or null.
  std::shared_ptr<const ModelConfig> model_config(std::string_view alias) const;

  std::shared_ptr<const Node> find(std::string_view name) const;
  std::vector<std::shared_ptr<const Node>> nodes() const;
  std::vector<NodeStatus> snapshot(Time now) const;
  /// What a pick for `request.model` would make of every node now. Enters nothing.
  std::vector<NodeExplanation> explain(Strategy& strategy, const PickRequest& request, Rng& rng,
                                       Time now) const;
  /// Calls on all nodes of the pool.
  std::size_t in_flight() const;

  /// In a forked child, before anything else: nothing is in flight and no probe is out; what was
  /// learnt stays. Tickets of the parent's calls no longer count and may be destroyed at leisure.
  void reset_after_fork();

 private:
  using Entry = PoolSnapshot::Entry;
  using Entries = std::vector<Entry>;

  std::shared_ptr<const PoolSnapshot> current() const {
    const std::lock_guard guard(publish_lock_);
    return snapshot_;
  }
  Entry make_entry(NodeConfig config, const Entry* old);
  NodeKeys make_keys(const NodeConfig& config, const Entry* old);
  void publish(Entries entries, std::vector<ModelConfig> models, Time now);
  static constexpr std::string_view full_reason = "at max_concurrent_requests";
  std::string why_not(const Entry& entry, bool serves, std::string_view model_id, Time now) const;
  static void count_keys(const Entry& entry, std::string_view model_id, Time now,
                         NodeExplanation& node);
  template <class Change>
  void with_state(NodeId node, Change&& change);

  PoolState state_;
  SpinLock change_lock_;  // one change of membership at a time; guards the three below
  std::uint32_t next_id_ = 0;
  std::uint32_t next_key_id_ = 0;
  std::uint64_t next_revision_ = 1;
  mutable SpinLock publish_lock_;  // guards snapshot_
  std::shared_ptr<const PoolSnapshot> snapshot_;
  std::atomic<std::uint64_t> version_{0};
};

class NodePool::Reader {
 public:
  explicit Reader(NodePool& pool) : pool_(&pool), snapshot_(pool.current()) {
    lists_.resize(snapshot_->slot_count());
  }

  /// Picks a node for `request.model` (alias or id) that is not in `tried`; the strategy sees the
  /// id that nodes are asked for. `path` is what the node will be asked ("/v1/chat/completions"):
  /// nodes known to lack it come last. Constant time with strategies that draw, while most
  /// candidates can be had.
  /// A node with several keys is picked with one that neither rests nor is among `refused`.
  PickOutcome acquire(Strategy& strategy, const PickRequest& request, std::string_view path,
                      std::span<const NodeId> tried, Rng& rng, Time now,
                      std::span<const KeyRefusal> refused = {});

  /// NodePool::knows_model, at the cost of a comparison for the model asked last.
  bool knows_model(std::string_view model);

  /// Whether a node neither in `tried` nor `present` may be asked for the model.
  bool has_other(std::string_view model, std::span<const NodeId> tried, NodeId present, Time now);

 private:
  void follow();
  const CandidateList& list_of(CandidateSlot& slot, Time now);
  bool stale(const CandidateList& list, Time now) const noexcept;
  CandidateSlot* slot_of(std::string_view model);

  NodePool* pool_;
  std::shared_ptr<const PoolSnapshot> snapshot_;
  std::vector<CandidateSlot::Copy> lists_;  // by the slot's ordinal
  std::string last_model_;
  CandidateSlot* last_slot_ = nullptr;  // of last_model_
  std::string known_model_;             // one that the present snapshot knows; empty: none yet
};

inline NodePool::NodePool(PoolOptions options, std::vector<NodeConfig> nodes,
                          std::vector<ModelConfig> models, std::uint64_t seed, Time now)
    : state_(std::move(options), seed) {
  publish({}, {}, now);
  replace(std::move(nodes), std::move(models), now);
}

inline NodePool::Entry NodePool::make_entry(NodeConfig config, const Entry* old) {
  if (config.name.empty()) config.name = config.url;
  std::shared_ptr<NodeState> state =
      old != nullptr ? old->node->shared_state()
                     : std::make_shared<NodeState>(NodeId{next_id_++}, state_.options().breaker,
                                                   state_.options().health);
  const auto learnt = old != nullptr ? old->learnt : nullptr;
  auto models = learnt;
  if (!config.models.empty()) {
    std::vector<std::string> listed = config.models;
    std::sort(listed.begin(), listed.end());
    models = std::make_shared<const std::vector<std::string>>(std::move(listed));
  }
  std::shared_ptr<const void> attachment;
  if (state_.options().attach) attachment = state_.options().attach(config);
  NodeKeys keys = make_keys(config, old);
  auto node = std::make_shared<const Node>(std::move(config), next_revision_++, std::move(state),
                                           std::move(keys), std::move(attachment));
  return {std::move(node), std::move(models), learnt};
}

/// A key that the node had before is known by its value and goes on resting, whatever its place.
inline NodeKeys NodePool::make_keys(const NodeConfig& config, const Entry* old) {
  const auto known = [&](std::string_view value) -> std::shared_ptr<NodeKey> {
    if (old == nullptr) return nullptr;
    const NodeKeys& keys = old->node->keys();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (old->node->config().key(i) == value) return keys[i];
    }
    return nullptr;
  };
  NodeKeys keys(std::max<std::size_t>(1, config.key_count()));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i] = known(config.key(i));
    if (keys[i] == nullptr) keys[i] = std::make_shared<NodeKey>(KeyId{next_key_id_++});
  }
  return keys;
}

/// Under the change lock, or in the constructor.
inline void NodePool::publish(Entries entries, std::vector<ModelConfig> models, Time now) {
  state_.settle_ejections(now);
  state_.set_node_count(entries.size());
  const std::uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  std::shared_ptr<const PoolSnapshot> made = std::make_shared<const PoolSnapshot>(
      version, std::move(entries), std::move(models), state_.options().unlisted_models);
  const std::lock_guard guard(publish_lock_);
  snapshot_.swap(made);  // the old one is freed after the lock
  version_.store(version, std::memory_order_release);
}

inline bool NodePool::add(NodeConfig node, Time now) {
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  if (old->find(node.name.empty() ? node.url : node.name) != nullptr) return false;
  Entries entries = old->entries();
  entries.push_back(make_entry(std::move(node), nullptr));
  publish(std::move(entries), old->aliases(), now);
  return true;
}

inline bool NodePool::update(NodeConfig node, Time now) {
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  const Entry* present = old->find(node.name.empty() ? node.url : node.name);
  if (present == nullptr) return false;
  Entries entries = old->entries();
  const auto index = static_cast<std::size_t>(present - old->entries().data());
  entries[index] = make_entry(std::move(node), present);
  publish(std::move(entries), old->aliases(), now);
  return true;
}

inline bool NodePool::remove(std::string_view name, Time now) {
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  Entries entries = old->entries();
  if (std::erase_if(entries, [&](const Entry& e) { return e.node->name() == name; }) == 0) {
    return false;
  }
  publish(std::move(entries), old->aliases(), now);
  return true;
}

inline bool NodePool::drain(std::string_view name, bool drain) {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(name);
  if (entry == nullptr) return false;
  entry->node->state().draining.store(drain, std::memory_order_relaxed);
  state_.changed();
  return true;
}

inline void NodePool::replace(std::vector<NodeConfig> nodes, std::vector<ModelConfig> models,
                              Time now) {
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  Entries entries;
  std::map<std::string, bool, std::less<>> taken;
  for (NodeConfig& config : nodes) {
    const std::string name = config.name.empty() ? config.url : config.name;
    if (!taken.emplace(name, true).second) continue;
    entries.push_back(make_entry(std::move(config), old->find(name)));
  }
  publish(std::move(entries), std::move(models), now);
}

/// Runs `change(state)` under the lock of a node that is (still) there.
template <class Change>
void NodePool::with_state(NodeId node, Change&& change) {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(node);
  if (entry == nullptr) return;
  NodeState& state = entry->node->state();
  {
    const std::lock_guard guard(state.lock);
    change(state);
  }
  state_.changed();
}

inline void NodePool::mark_absent(NodeId node, std::string_view model_or_path, Time until,
                                  Time now) {
  with_state(node, [&](NodeState& state) { state.mark_absent(model_or_path, until, now); });
}

inline Time NodePool::rest_key(NodeId node, KeyId key, std::string_view model_id, Time until) {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(node);
  if (entry == nullptr) return until;
  const bool heard_of = snapshot->heard_of(model_id);
  NodeState& state = entry->node->state();
  Time first;
  {
    const std::lock_guard guard(state.lock);
    PairState& pair = state.pair(heard_of ? model_id : std::string_view{});
    for (const auto& known : entry->node->keys()) {
      if (known->id() == key) known->rest(model_id.empty() ? nullptr : &pair, until);
    }
    first = entry->node->keys_rest_until(&pair);
  }
  state_.changed();
  return first;
}

inline void NodePool::models_learnt(std::string_view node, std::vector<std::string> ids, Time now) {
  if (ids.empty()) return;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  const Entry* present = old->find(node);
  if (present == nullptr || !present->node->config().models.empty()) return;
  if (present->learnt != nullptr && *present->learnt == ids) return;
  Entries entries = old->entries();
  Entry& entry = entries[static_cast<std::size_t>(present - old->entries().data())];
  entry.learnt = std::make_shared<const std::vector<std::string>>(std::move(ids));
  entry.models = entry.learnt;
  publish(std::move(entries), old->aliases(), now);
}

inline void NodePool::probe_result(std::string_view node, bool ok, Time now) {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(node);
  if (entry == nullptr) return;
  NodeState& state = entry->node->state();
  bool turned = false;
  bool let_in = false;
  {
    const std::lock_guard guard(state.lock);
    turned = state.health.probed(ok, now);
    const bool was_away = turned || state.breaker.state(now) == BreakerState::open;
    let_in = ok && was_away && state.end_waits(now);
  }
  if (turned || let_in) state_.changed();
  if (turned) state_.announce(ok ? NodeChange::Kind::healthy : NodeChange::Kind::unhealthy, node);
}

inline bool NodePool::serves(const Node& node, std::string_view model) const {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(node.id());
  return entry != nullptr && snapshot->serves(*entry, model);
}

inline std::shared_ptr<const ModelConfig> NodePool::model_config(std::string_view alias) const {
  const auto snapshot = current();
  const ModelConfig* config = snapshot->alias(alias);
  return config == nullptr ? nullptr : std::shared_ptr<const ModelConfig>(snapshot, config);
}

inline std::shared_ptr<const Node> NodePool::find(std::string_view name) const {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(name);
  return entry == nullptr ? nullptr : entry->node;
}

inline std::vector<std::shared_ptr<const Node>> NodePool::nodes() const {
  const auto snapshot = current();
  std::vector<std::shared_ptr<const Node>> nodes;
  for (const Entry& entry : snapshot->entries()) nodes.push_back(entry.node);
  return nodes;
}

inline std::vector<NodeStatus> NodePool::snapshot(Time now) const {
  const auto snapshot = current();
  std::vector<NodeStatus> result;
  for (const Entry& entry : snapshot->entries()) result.push_back(status_of(entry, now));
  return result;
}

inline std::vector<NodeExplanation> NodePool::explain(Strategy& strategy,
                                                      const PickRequest& request, Rng& rng,
                                                      Time now) const {
  const auto snapshot = current();
  std::vector<NodeExplanation> nodes;
  std::shared_ptr<const CandidateList> list;
  std::vector<Member> members;
  CandidateSlot* slot = snapshot->slot(request.model);
  if (slot != nullptr) {
    members = snapshot->members(*slot);
    list = CandidateBuilder(state_, slot->heard_of(), slot->model_id(), now).build(members);
  }
  for (const Entry& entry : snapshot->entries()) {
    NodeExplanation node{.node = entry.node->name()};
    const auto asked = [&](const Member& member) { return member.node == entry.node; };
    const bool serves = std::any_of(members.begin(), members.end(), asked);
    const std::string_view model_id = slot == nullptr ? request.model : slot->model_id();
    node.reason = why_not(entry, serves, model_id, now);
    count_keys(entry, model_id, now, node);
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
    const bool full = found->reason == full_reason;
    found->admissible = !full;
    if (!full) found->reason.clear();  // ill health is ignored where all are ill
    found->score = strategy.score(front.views[i], question, now);
    found->picked = i == picked && !full;
  }
  return nodes;
}

/// In the order a pick looks at it; empty: nothing speaks against the node.
inline std::string NodePool::why_not(const Entry& entry, bool serves, std::string_view model_id,
                                     Time now) const {
  if (!serves) return "does not serve the model";
  const Node& node = *entry.node;
  if (node.draining()) return "draining";
  const int cap = node.cap();
  if (cap > 0 && node.stats().in_flight.load() >= cap) return std::string(full_reason);
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

inline void NodePool::count_keys(const Entry& entry, std::string_view model_id, Time now,
                                 NodeExplanation& node) {
  NodeState& state = entry.node->state();
  const std::lock_guard guard(state.lock);
  const auto pair = state.pairs.find(model_id);
  node.keys = static_cast<int>(entry.node->keys().size());
  node.keys_resting =
      entry.node->keys_resting(pair == state.pairs.end() ? nullptr : pair->second.get(), now);
}

inline std::size_t NodePool::in_flight() const {
  const auto snapshot = current();
  int sum = 0;
  for (const Entry& entry : snapshot->entries()) sum += entry.node->stats().in_flight.load();
  return static_cast<std::size_t>(std::max(sum, 0));
}

inline void NodePool::reset_after_fork() {
  change_lock_.reset_after_fork();
  publish_lock_.reset_after_fork();
  state_.reset_after_fork();
  const auto snapshot = current();
  snapshot->reset_after_fork();
  for (const Entry& entry : snapshot->entries()) {
    NodeState& state = entry.node->state();
    state.lock.reset_after_fork();
    state.stats.in_flight.store(0);
    state.breaker.reset_after_fork();
    for (const auto& [model, pair] : state.pairs) pair->breaker.reset_after_fork();
  }
}

/// Takes over a new snapshot, if there is one.
inline void NodePool::Reader::follow() {
  if (snapshot_->version() == pool_->version_.load(std::memory_order_acquire)) return;
  snapshot_ = pool_->current();
  lists_.assign(snapshot_->slot_count(), {});
  last_slot_ = nullptr;
  known_model_.clear();
}

inline bool NodePool::Reader::knows_model(std::string_view model) {
  follow();
  if (!model.empty() && model == known_model_) return true;
  if (!snapshot_->knows_model(model)) return false;
  known_model_ = model;
  return true;
}

inline bool NodePool::Reader::has_other(std::string_view model, std::span<const NodeId> tried,
                                        NodeId present, Time now) {
  follow();
  CandidateSlot* slot = slot_of(model);
  if (slot == nullptr) return false;
  const auto other = [&](const Member* member) {
    const NodeId id = member->node->id();
    return id != present && std::find(tried.begin(), tried.end(), id) == tried.end();
  };
  const CandidateList& list = list_of(*slot, now);
  return std::any_of(list.front.members.begin(), list.front.members.end(), other) ||
         std::any_of(list.behind.members.begin(), list.behind.members.end(), other);
}

/// Small lists are rebuilt at once, large ones at most every 10 ms: until then the breakers
/// themselves turn picks away. A list of nobody is no use to anyone.
inline bool NodePool::Reader::stale(const CandidateList& list, Time now) const noexcept {
  constexpr std::size_t small = 64;
  constexpr Duration pause = std::chrono::milliseconds(10);
  if (list.changes == pool_->state_.changes() && now < list.valid_until) return false;
  const std::size_t size = list.front.size() + list.behind.size();
  return size <= small || now - list.built_at >= pause;
}

inline const CandidateList& NodePool::Reader::list_of(CandidateSlot& slot, Time now) {
  CandidateSlot::Copy& copy = lists_[slot.ordinal()];
  if (copy.edition != slot.edition()) copy = slot.load();
  if (copy.list != nullptr && !stale(*copy.list, now)) return *copy.list;
  pool_->state_.settle_ejections(now);
  slot.rebuild(pool_->state_, copy.edition, now, [&] { return snapshot_->members(slot); });
  copy = slot.load();
  return *copy.list;
}

inline PickOutcome NodePool::Reader::acquire(Strategy& strategy, const PickRequest& request,
                                             std::string_view path, std::span<const NodeId> tried,
                                             Rng& rng, Time now,
                                             std::span<const KeyRefusal> refused) {
  follow();
  PickOutcome outcome;
  CandidateSlot* slot = slot_of(request.model);
  if (slot == nullptr) {
    outcome.miss = PickMiss::unknown_model;
    return outcome;
  }
  const CandidateList& list = list_of(*slot, now);
  NodePick::Question question{strategy, request, path, tried, refused, rng, now, slot->heard_of()};
  if (slot->heard_of()) question.request.model = slot->model_id();
  NodePick(pool_->state_, question, outcome).from(list);
  return outcome;
}

/// Most calls of a loop are for the model of the one before.
inline CandidateSlot* NodePool::Reader::slot_of(std::string_view model) {
  if (last_slot_ != nullptr && model == last_model_) return last_slot_;
  last_slot_ = snapshot_->slot(model);
  last_model_ = model;
  return last_slot_;
}

}  // namespace llmroute

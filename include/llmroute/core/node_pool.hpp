/// The nodes there are, and for every call one of them: who may be asked and what is known of each.
///
///     NodePool pool(options, nodes, models, seed, now);
///     NodePool::Reader reader(pool);  // one a loop: see node_pool_reader.hpp
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <llmroute/core/node_explanation.hpp>
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
  /// thread at a time. In node_pool_reader.hpp.
  class Reader;

  // Who is in the pool. False when there already is, or is no, node of that name.
  bool add(NodeConfig node, Time now);
  bool update(NodeConfig node, Time now);
  bool remove(std::string_view name, Time now);   ///< calls on it go on to their end
  bool drain(std::string_view name, bool drain);  ///< takes no new calls while true

  /// All at once, for a reload. Of two nodes of one name the first counts; one that is configured
  /// as before stays the very same. `attachment` goes with them in every snapshot until the next
  /// replace: for whatever has to change in the same moment.
  void replace(std::vector<NodeConfig> nodes, std::vector<ModelConfig> models, Time now,
               std::shared_ptr<const void> attachment = nullptr);

  /// The pool as it is now, for those that ask rarely; a Reader keeps one.
  std::shared_ptr<const PoolSnapshot> current() const {
    const std::lock_guard guard(publish_lock_);
    return snapshot_;
  }

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
  /// The node has said how loaded it is. `own`: the calls of this pool that it had when it was
  /// asked; from `valid_until` on the report is too old to go by.
  void load_reported(NodeId node, const LoadReport& report, int own, Time now, Time valid_until);

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

  Entry make_entry(NodeConfig config, const Entry* old);
  NodeKeys make_keys(const NodeConfig& config, const Entry* old);
  void publish(Entries entries, std::vector<ModelConfig> models,
               std::shared_ptr<const void> attachment);
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

inline NodePool::NodePool(PoolOptions options, std::vector<NodeConfig> nodes,
                          std::vector<ModelConfig> models, std::uint64_t seed, Time now)
    : state_(std::move(options), seed) {
  publish({}, {}, nullptr);
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

/// Under the change lock, or in the constructor. Ejections are settled before, as observers hear of
/// those and may change the pool in turn.
inline void NodePool::publish(Entries entries, std::vector<ModelConfig> models,
                              std::shared_ptr<const void> attachment) {
  const std::size_t count = entries.size();
  const std::uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  std::shared_ptr<const PoolSnapshot> made =
      std::make_shared<const PoolSnapshot>(version, std::move(entries), std::move(models),
                                           state_.options().unlisted_models, std::move(attachment));
  state_.set_node_count(count);
  const std::lock_guard guard(publish_lock_);
  snapshot_.swap(made);  // the old one is freed after the lock
  version_.store(version, std::memory_order_release);
}

inline bool NodePool::add(NodeConfig node, Time now) {
  state_.settle_ejections(now);
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  if (old->find(node.name.empty() ? node.url : node.name) != nullptr) return false;
  Entries entries = old->entries();
  entries.push_back(make_entry(std::move(node), nullptr));
  publish(std::move(entries), old->aliases(), old->attachment());
  return true;
}

inline bool NodePool::update(NodeConfig node, Time now) {
  state_.settle_ejections(now);
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  const Entry* present = old->find(node.name.empty() ? node.url : node.name);
  if (present == nullptr) return false;
  Entries entries = old->entries();
  const auto index = static_cast<std::size_t>(present - old->entries().data());
  entries[index] = make_entry(std::move(node), present);
  publish(std::move(entries), old->aliases(), old->attachment());
  return true;
}

inline bool NodePool::remove(std::string_view name, Time now) {
  state_.settle_ejections(now);
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  Entries entries = old->entries();
  if (std::erase_if(entries, [&](const Entry& e) { return e.node->name() == name; }) == 0) {
    return false;
  }
  publish(std::move(entries), old->aliases(), old->attachment());
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
                              Time now, std::shared_ptr<const void> attachment) {
  state_.settle_ejections(now);
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  Entries entries;
  std::map<std::string, bool, std::less<>> taken;
  for (NodeConfig& config : nodes) {
    if (config.name.empty()) config.name = config.url;
    if (!taken.emplace(config.name, true).second) continue;
    const Entry* present = old->find(config.name);
    const bool same = present != nullptr && present->node->config() == config;
    entries.push_back(same ? *present : make_entry(std::move(config), present));
  }
  publish(std::move(entries), std::move(models), std::move(attachment));
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
  state_.settle_ejections(now);
  const std::lock_guard guard(change_lock_);
  const auto old = current();
  const Entry* present = old->find(node);
  if (present == nullptr || !present->node->config().models.empty()) return;
  if (present->learnt != nullptr && *present->learnt == ids) return;
  Entries entries = old->entries();
  Entry& entry = entries[static_cast<std::size_t>(present - old->entries().data())];
  entry.learnt = std::make_shared<const std::vector<std::string>>(std::move(ids));
  entry.models = entry.learnt;
  publish(std::move(entries), old->aliases(), old->attachment());
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

/// Picks read it from the node's figures: no list of candidates has to be made anew.
inline void NodePool::load_reported(NodeId node, const LoadReport& report, int own, Time now,
                                    Time valid_until) {
  const auto snapshot = current();
  const Entry* entry = snapshot->find(node);
  if (entry == nullptr) return;
  NodeState& state = entry->node->state();
  const std::lock_guard guard(state.lock);
  state.reported = {.report = report, .at = now, .valid_until = valid_until};
  if (report.tells_load()) state.stats.others.set(report, own, valid_until);
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
  return explain_pick(state_, *current(), strategy, request, rng, now);
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

}  // namespace llmroute

/// The nodes there are, and for every call one of them: who may be asked, what is known of each,
/// and the ticket a call holds while it is on one.
#pragma once

#include <cstdint>
#include <functional>
#include <llmroute/core/node.hpp>
#include <llmroute/core/strategy.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// What to do when every breaker of a model's nodes is open.
enum class AllDown : std::uint8_t {
  fail_fast,  ///< refuse at once
  wait,       ///< the caller waits for PickOutcome::retry_at; to the pool the same as fail_fast
  least_bad   ///< ask one all the same
};

/// Whether a model that no entry of `models` names is served when a node has it.
enum class UnlistedModels : std::uint8_t { serve, refuse };

/// Something changed in the pool's eyes. Views are valid during the callback.
struct NodeChange {
  enum class Kind : std::uint8_t {
    healthy,
    unhealthy,
    breaker_opened,
    breaker_half_open,
    breaker_closed
  };
  Kind kind;
  std::string_view node;
  std::string_view model;  ///< empty: the node as a whole
};

struct PoolOptions {
  HealthOptions health{};
  BreakerOptions breaker{};
  AllDown all_down = AllDown::fail_fast;
  UnlistedModels unlisted_models = UnlistedModels::serve;
  /// Told of changes, outside locks, on the thread whose call or probe brought them. Must not
  /// throw.
  std::function<void(const NodeChange&)> on_change{};
  /// A node with a cap of its own (max_concurrent_requests) was full and has room again. Outside
  /// locks; must not throw.
  std::function<void(const Node&)> on_slot_free{};
  /// Makes what Node::attachment() returns, once for every node added or updated.
  std::function<std::shared_ptr<const void>(const NodeConfig&)> attach{};
};

/// Why no node was picked.
enum class PickMiss : std::uint8_t {
  none,           ///< one was
  unknown_model,  ///< neither configured nor, as far as known, on any node
  no_nodes,       ///< nobody serves it now: none configured, or all draining
  all_tried,      ///< every node that may be asked is in `tried`
  all_busy,       ///< every untried one is at its own cap
  all_resting,    ///< the keys of all untried ones rest until retry_at
  all_down        ///< every untried one is behind a breaker until retry_at
};

/// What a node is told to snapshots.
struct NodeStatus {
  std::shared_ptr<const Node> node;  ///< configuration and counters
  bool healthy = true;               ///< by probes, and not ejected
  bool draining = false;
  double weight = 1;                            ///< slow start included
  BreakerState breaker = BreakerState::closed;  ///< the worst of the node's own and its models'
  std::uint64_t breaker_opened = 0;             ///< of all of them
  Duration breaker_retry_in{};                  ///< until the first open one lets a probe in
  std::vector<std::string> models{};            ///< configured or learnt
};

class NodePool;

/// A call's hold on a node: counts as in flight, keeps the node alive, holds the breakers' passes.
/// record() says what came of it; destroyed without, the attempt was abandoned: probe slots return
/// and nobody is blamed. One thread at a time; must not outlive the pool.
class NodeTicket {
 public:
  NodeTicket() = default;
  NodeTicket(NodeTicket&& other) noexcept;
  NodeTicket& operator=(NodeTicket&& other) noexcept;
  ~NodeTicket();

  explicit operator bool() const noexcept { return pool_ != nullptr; }
  const Node& node() const noexcept { return *node_; }

  /// What to ask this node for. For a model that nobody has heard of it is the view given in
  /// PickRequest.
  std::string_view model_id() const noexcept { return model_id_; }

  /// Once. The ticket goes on counting as in flight until it is destroyed or released.
  void record(const Outcome& outcome, Time now);

  /// Ends the hold before the destructor does.
  void release();

 private:
  friend class NodePool;
  NodeTicket(NodePool* pool, std::shared_ptr<const Node> node, PairState* pair,
             std::string_view model_id, std::uint32_t generation) noexcept;

  NodePool* pool_ = nullptr;
  std::shared_ptr<const Node> node_;
  PairState* pair_ = nullptr;
  std::string_view model_id_;
  CircuitBreaker::Pass node_pass_{};
  CircuitBreaker::Pass pair_pass_{};
  std::uint32_t generation_ = 0;
  bool recorded_ = false;
};

struct PickOutcome {
  NodeTicket ticket{};  ///< empty: see miss
  PickMiss miss = PickMiss::none;
  Time retry_at = never;  ///< all_down, all_resting: when the first of them may be asked again
  explicit operator bool() const noexcept { return miss == PickMiss::none; }
};

/// Thread safe. A node's identity is its name; empty names are replaced by the URL.
class NodePool {
 public:
  NodePool(PoolOptions options, std::vector<NodeConfig> nodes, std::vector<ModelConfig> models,
           std::uint64_t seed, Time now);
  ~NodePool();
  NodePool(const NodePool&) = delete;
  NodePool& operator=(const NodePool&) = delete;

  /// One loop's view of the pool: keeps the present snapshot and compares one number a pick. One
  /// thread at a time.
  class Reader;

  // -- who is in the pool; false when there is (or is no) node of that name
  // -------------------------------------------
  bool add(NodeConfig node, Time now);
  bool update(NodeConfig node, Time now);         ///< keeps the node's state
  bool remove(std::string_view name, Time now);   ///< calls on it go on to their end
  bool drain(std::string_view name, bool drain);  ///< takes no new calls while true
  /// All at once, for a reload: same names keep their state.
  void replace(std::vector<NodeConfig> nodes, std::vector<ModelConfig> models, Time now);

  // -- what has been found out
  // ----------------------------------------------------------------------------------------
  /// The node answered 404 or the like for a model id or a path.
  void mark_absent(NodeId node, std::string_view model_or_path, Time until, Time now);
  /// The node's key is not to be used for the model (empty: for any) until then.
  void rest_key(NodeId node, std::string_view model, Time until);
  /// The ids in its list of models. Ignored for a node whose models are configured.
  void models_learnt(std::string_view node, std::vector<std::string> ids, Time now);
  /// An active probe came back.
  void probe_result(std::string_view node, bool ok, Time now);

  // -- what may be asked
  // ----------------------------------------------------------------------------------------------
  /// Whether acquire() could ever serve it: an active alias, or an unlisted model some node has or
  /// may have.
  bool knows_model(std::string_view model) const;
  /// Active aliases, and unlisted models where they are served; sorted.
  std::vector<std::string> models() const;
  /// Whether a node is among those asked for a model (alias or id).
  bool serves(const Node& node, std::string_view model) const;
  /// The alias's configuration, or null.
  std::shared_ptr<const ModelConfig> model_config(std::string_view model) const;

  std::shared_ptr<const Node> find(std::string_view name) const;
  std::vector<std::shared_ptr<const Node>> nodes() const;
  std::vector<NodeStatus> snapshot(Time now) const;
  /// Calls on any node.
  std::size_t in_flight() const;

  /// In a forked child, before anything else: nothing is in flight and no probe is out; what was
  /// learnt stays. Tickets of the parent's calls no longer count and may be destroyed at leisure.
  void reset_after_fork();

 private:
  friend class NodeTicket;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class NodePool::Reader {
 public:
  explicit Reader(NodePool& pool);
  ~Reader();
  Reader(Reader&&) noexcept;

  /// Picks a node for `request.model` (alias or id) that is not in `tried`. The strategy sees the
  /// id that nodes are asked for. `path` is what will be asked of it ("/v1/chat/completions"):
  /// nodes known not to have it come last.
  PickOutcome acquire(Strategy& strategy, const PickRequest& request, std::string_view path,
                      std::span<const NodeId> tried, Rng& rng, Time now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmroute

/// One node: its configuration, which is immutable, and its state, which survives changes of the
/// configuration.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <llmroute/core/circuit_breaker.hpp>
#include <llmroute/core/failure.hpp>
#include <llmroute/core/health_tracker.hpp>
#include <llmroute/core/node_config.hpp>
#include <llmroute/core/node_key.hpp>
#include <llmroute/core/node_stats.hpp>
#include <llmroute/core/spin_lock.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute {

/// Names a node for as long as the pool lives; also the same after an update.
enum class NodeId : std::uint32_t {};

/// What came of an attempt, told to its ticket once.
struct Outcome {
  Verdict verdict = Verdict::success;
  Blame blame = Blame::nobody;
  FailureClass failure_class = FailureClass::none;
  bool answered = true;  ///< a response head came: the connection to the node works
  bool stream = false;   ///< for timeouts: what there was to wait for was the first content
  Duration latency{};    ///< from the attempt's start to its end
  std::optional<Duration> first_content{};  ///< streams, if it came
  std::int64_t completion_tokens = 0;

  /// What the failure table says of a kind.
  static Outcome of(FailureKind kind, Duration latency, bool answered) noexcept {
    const FailureTraits& row = traits(kind);
    const bool stream =
        kind == FailureKind::timeout_headers || kind == FailureKind::timeout_first_content;
    return {.verdict = row.verdict,
            .blame = row.blames,
            .failure_class = row.failure_class,
            .answered = answered,
            .stream = stream,
            .latency = latency};
  }
};

/// One model on one node.
struct PairState {
  PairState(std::string model_id, const BreakerOptions& options)
      : model(std::move(model_id)), breaker(options) {}

  const std::string model;  ///< empty: all models that nobody has heard of
  CircuitBreaker breaker;   // under the node's lock
};

/// Something a node answered 404 or 405 for: a model id or a path.
struct AbsentMark {
  std::string what;
  Time until;
};

/// What has been learnt of a node. Counters are atomic; the rest is under `lock`, held for a few
/// dozen instructions.
struct NodeState {
  NodeState(NodeId node_id, const BreakerOptions& breaker_options,
            const HealthOptions& health_options)
      : id(node_id),
        breaker(breaker_options),
        health(health_options),
        breaker_settings(breaker_options) {}

  /// The state of a model on this node, made when it is first asked for. Under the lock; lives as
  /// long as this.
  PairState& pair(std::string_view model) {
    const auto found = pairs.find(model);
    if (found != pairs.end()) return *found->second;
    auto made = std::make_unique<PairState>(std::string(model), breaker_settings);
    return *pairs.emplace(std::string(model), std::move(made)).first->second;
  }

  /// Lets the probes of all breakers in that are open. True: there was one. Under the lock.
  bool end_waits(Time now) noexcept;

  /// Whether the node is known to lack a model or path. Under the lock.
  bool lacks(std::string_view what, Time now) const noexcept { return absent_until(what) > now; }
  Time absent_until(std::string_view what) const noexcept;

  /// Notes that it lacks it. Bounded: of too many marks the one that ends first goes. Under the
  /// lock.
  void mark_absent(std::string_view what, Time until, Time now);

  // The first two cache lines are what a pick looks at.
  alignas(64) NodeStats stats;
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> absent_count{0};  ///< marks kept; zero spares the lock
  std::atomic<bool> capped{
      false};  ///< it has, or had, a cap: somebody may wait for its calls to end
  mutable SpinLock lock;
  const NodeId id;
  CircuitBreaker breaker;  // connection-class failures

  HealthTracker health;
  std::uint64_t key_turns = 0;            // how often one of several keys was used
  std::optional<TimedReport> reported{};  ///< the last report
  std::vector<AbsentMark> absent;
  std::map<std::string, std::unique_ptr<PairState>, std::less<>>
      pairs;  // "" is shared by unheard-of models
  const BreakerOptions breaker_settings;
  std::array<std::atomic<std::uint64_t>, 5> failures_by_class{};  ///< indexed by FailureClass
};

inline bool NodeState::end_waits(Time now) noexcept {
  bool any = breaker.end_wait(now);
  for (const auto& [model, pair] : pairs) any = pair->breaker.end_wait(now) || any;
  return any;
}

inline Time NodeState::absent_until(std::string_view what) const noexcept {
  for (const AbsentMark& mark : absent) {
    if (mark.what == what) return mark.until;
  }
  return Time::min();
}

inline void NodeState::mark_absent(std::string_view what, Time until, Time now) {
  constexpr std::size_t most = 64;
  std::erase_if(absent, [&](const AbsentMark& m) { return m.until <= now || m.what == what; });
  if (absent.size() >= most) {
    absent.erase(std::min_element(absent.begin(), absent.end(),
                                  [](const auto& a, const auto& b) { return a.until < b.until; }));
  }
  absent.push_back({std::string(what), until});
  absent_count.store(static_cast<std::uint32_t>(absent.size()), std::memory_order_relaxed);
}

/// By their place in the configuration; never empty: a node without any has one that is not sent.
using NodeKeys = std::vector<std::shared_ptr<NodeKey>>;

/// A node as configured at one time. Immutable, so any thread; an update makes a new one around the
/// same state.
class Node {
 public:
  Node(NodeConfig config, std::uint64_t revision, std::shared_ptr<NodeState> state, NodeKeys keys,
       std::shared_ptr<const void> attachment)
      : state_(std::move(state)),
        cap_(config.max_concurrent_requests),
        several_keys_(keys.size() > 1),
        revision_(revision),
        attachment_(std::move(attachment)),
        keys_(std::move(keys)),
        config_(std::move(config)) {
    if (cap_ > 0) state_->capped.store(true, std::memory_order_relaxed);
  }

  NodeId id() const noexcept { return state_->id; }
  const std::string& name() const noexcept { return config_.name; }
  const NodeConfig& config() const noexcept { return config_; }
  int cap() const noexcept { return cap_; }  ///< max_concurrent_requests; 0: none
  bool several_keys() const noexcept { return several_keys_; }
  const NodeStats& stats() const noexcept { return state_->stats; }
  bool draining() const noexcept { return state_->draining.load(std::memory_order_relaxed); }

  /// Failures of a class so far.
  std::uint64_t failures(FailureClass failure_class) const noexcept {
    return state_->failures_by_class[static_cast<std::size_t>(failure_class)].load(
        std::memory_order_relaxed);
  }

  /// Unique for every configuration of every node of a pool: a key for what is made from it.
  std::uint64_t revision() const noexcept { return revision_; }

  /// For the pool's own parts.
  NodeState& state() const noexcept { return *state_; }
  const std::shared_ptr<NodeState>& shared_state() const noexcept { return state_; }
  const NodeKeys& keys() const noexcept { return keys_; }

  /// When the first of its keys may be used for a model (null: for all), and how many rest. Under
  /// the state's lock.
  Time keys_rest_until(const PairState* pair) const noexcept;
  int keys_resting(const PairState* pair, Time now) const noexcept;

  /// What PoolOptions::attach made for this configuration (a prepared endpoint, say); null without
  /// one.
  template <class T>
  const T* attachment() const noexcept {
    return static_cast<const T*>(attachment_.get());
  }

 private:
  std::shared_ptr<NodeState> state_;
  int cap_;
  bool several_keys_;
  std::uint64_t revision_;
  std::shared_ptr<const void> attachment_;
  NodeKeys keys_;
  NodeConfig config_;
};

inline Time Node::keys_rest_until(const PairState* pair) const noexcept {
  Time first = never;
  for (const auto& key : keys_) first = std::min(first, key->rests_until(pair));
  return first;
}

inline int Node::keys_resting(const PairState* pair, Time now) const noexcept {
  return static_cast<int>(std::count_if(
      keys_.begin(), keys_.end(), [&](const auto& key) { return key->rests_until(pair) > now; }));
}

}  // namespace llmroute

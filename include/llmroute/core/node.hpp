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
#include <llmroute/core/node_stats.hpp>
#include <llmroute/core/spin_lock.hpp>
#include <map>
#include <memory>
#include <mutex>
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
  Duration latency{};    ///< from the attempt's start to its end
  std::optional<Duration> first_content{};  ///< streams
  std::int64_t completion_tokens = 0;

  /// What the failure table says of a kind.
  static Outcome of(FailureKind kind, Duration latency, bool answered) noexcept {
    const FailureTraits& row = traits(kind);
    return {.verdict = row.verdict,
            .blame = row.blames,
            .failure_class = row.failure_class,
            .answered = answered,
            .latency = latency};
  }
};

/// One model on one node.
struct PairState {
  PairState(std::string model_id, const BreakerOptions& options)
      : model(std::move(model_id)), breaker(options) {}

  const std::string model;  ///< empty: all models that nobody has heard of
  CircuitBreaker breaker;   // this and below: under the node's lock
  Time rests_until = Time::min();
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
      : id(node_id), breaker(breaker_options), health(health_options) {}

  const NodeId id;
  NodeStats stats;
  std::array<std::atomic<std::uint64_t>, 5> failures_by_class{};  ///< indexed by FailureClass
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> absent_count{0};  ///< marks kept; zero spares the lock

  mutable SpinLock lock;
  CircuitBreaker breaker;  // connection-class failures
  HealthTracker health;
  Time rests_until = Time::min();  // its key, for every model
  std::vector<AbsentMark> absent;
  std::map<std::string, std::unique_ptr<PairState>, std::less<>>
      pairs;  // "" is shared by unheard-of models
};

/// A node as configured at one time. Immutable, so any thread; an update makes a new one around the
/// same state.
class Node {
 public:
  Node(NodeConfig config, std::uint64_t revision, std::shared_ptr<NodeState> state,
       std::shared_ptr<const void> attachment)
      : config_(std::move(config)),
        revision_(revision),
        state_(std::move(state)),
        attachment_(std::move(attachment)) {}

  NodeId id() const noexcept { return state_->id; }
  const std::string& name() const noexcept { return config_.name; }
  const NodeConfig& config() const noexcept { return config_; }
  const NodeStats& stats() const noexcept { return state_->stats; }
  bool draining() const noexcept { return state_->draining.load(std::memory_order_relaxed); }

  /// Failures of a class so far.
  std::uint64_t failures(FailureClass failure_class) const noexcept {
    return state_->failures_by_class[static_cast<std::size_t>(failure_class)].load(
        std::memory_order_relaxed);
  }

  /// Unique for every configuration of every node of a pool: a key for what is made from it.
  std::uint64_t revision() const noexcept { return revision_; }

  /// What PoolOptions::attach made for this configuration (a prepared endpoint, say); null without
  /// one.
  template <class T>
  const T* attachment() const noexcept {
    return static_cast<const T*>(attachment_.get());
  }

 private:
  friend class NodePool;
  friend class NodeTicket;
  friend class CandidateSlot;
  NodeState& state() const noexcept { return *state_; }

  NodeConfig config_;
  std::uint64_t revision_;
  std::shared_ptr<NodeState> state_;
  std::shared_ptr<const void> attachment_;
};

}  // namespace llmroute

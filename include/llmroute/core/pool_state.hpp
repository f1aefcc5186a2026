/// What the parts of a NodePool share: its options, how they tell each other that something
/// changed, and the limit on how many nodes may be ejected as outliers at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <llmroute/core/node.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/core/spin_lock.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
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
  /// A call on a node with a cap of its own (max_concurrent_requests) has ended: it has room.
  /// Outside locks; must not throw.
  std::function<void(const Node&)> on_slot_free{};
  /// Makes what Node::attachment() returns, once for every node added or updated.
  std::function<std::shared_ptr<const void>(const NodeConfig&)> attach{};
};

/// Thread safe.
class PoolState {
 public:
  PoolState(PoolOptions options, std::uint64_t seed) : options_(std::move(options)), rng_(seed) {}

  const PoolOptions& options() const noexcept { return options_; }

  /// Grows whenever a candidate list may have become wrong.
  std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_acquire); }
  void changed() noexcept { changes_.fetch_add(1, std::memory_order_acq_rel); }

  void announce(NodeChange::Kind kind, std::string_view node, std::string_view model = {}) const {
    if (options_.on_change) options_.on_change({kind, node, model});
  }

  /// Which process this is: grows with every fork.
  std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }

  void set_node_count(std::size_t count) noexcept { node_count_.store(count); }

  /// Takes an outlier out of use, unless max_ejected nodes are out already. Called without the
  /// node's lock.
  void eject_if_outlier(const std::shared_ptr<const Node>& node, Time now);

  /// Takes note of ejections that have ended. Costs one load while there are none.
  void settle_ejections(Time now);

  void reset_after_fork() noexcept {
    ejection_lock_.reset_after_fork();
    generation_.fetch_add(1);
  }

 private:
  /// max_ejected of the nodes, at least one; 0 turns ejection off.
  std::size_t most_ejected() const noexcept {
    const double share = options_.health.max_ejected;
    if (share <= 0) return 0;
    const auto nodes = static_cast<double>(node_count_.load());
    return std::max<std::size_t>(1, static_cast<std::size_t>(nodes * share));
  }

  bool try_eject(const std::shared_ptr<const Node>& node, Time now);

  PoolOptions options_;
  std::atomic<std::uint64_t> changes_{1};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::size_t> node_count_{0};
  std::atomic<std::size_t> ejected_count_{0};
  SpinLock ejection_lock_;  // guards the two below; taken before a node's lock
  std::vector<std::pair<std::shared_ptr<const Node>, Time>> ejected_;
  Rng rng_;
};

inline void PoolState::eject_if_outlier(const std::shared_ptr<const Node>& node, Time now) {
  settle_ejections(now);
  if (!try_eject(node, now)) return;
  changed();
  announce(NodeChange::Kind::unhealthy, node->name());
}

inline bool PoolState::try_eject(const std::shared_ptr<const Node>& node, Time now) {
  const std::lock_guard guard(ejection_lock_);
  if (ejected_.size() >= most_ejected()) return false;
  NodeState& state = node->state();
  const std::lock_guard node_guard(state.lock);
  if (!state.health.outlier(now)) return false;
  state.health.eject(rng_, now);
  ejected_.emplace_back(node, state.health.ejected_until());
  ejected_count_.store(ejected_.size());
  return true;
}

inline void PoolState::settle_ejections(Time now) {
  if (ejected_count_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::shared_ptr<const Node>> back;
  {
    const std::lock_guard guard(ejection_lock_);
    std::erase_if(ejected_, [&](const auto& entry) {
      if (entry.second > now) return false;
      back.push_back(entry.first);
      return true;
    });
    ejected_count_.store(ejected_.size());
  }
  if (!back.empty()) changed();
  for (const auto& node : back) announce(NodeChange::Kind::healthy, node->name());
}

}  // namespace llmroute

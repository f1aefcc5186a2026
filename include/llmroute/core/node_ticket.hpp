/// A call's hold on one node, from the pick to the end of the attempt.
#pragma once

#include <cstdint>
#include <llmroute/core/node.hpp>
#include <llmroute/core/pool_state.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace llmroute {

/// Counts as in flight, keeps the node alive, holds the breakers' passes. record() says what came
/// of the attempt; destroyed without, it was abandoned: probe slots return and nobody is blamed.
/// One thread at a time; must not outlive the pool.
class NodeTicket {
 public:
  NodeTicket() = default;

  /// Takes over what the pool entered for it: one in flight and the two passes.
  NodeTicket(PoolState& pool, std::shared_ptr<const Node> node, PairState& pair,
             std::string_view model_id, std::uint32_t key, CircuitBreaker::Pass node_pass,
             CircuitBreaker::Pass pair_pass) noexcept
      : pool_(&pool),
        node_(std::move(node)),
        pair_(&pair),
        model_id_(model_id),
        key_(key),
        node_pass_(node_pass),
        pair_pass_(pair_pass),
        generation_(pool.generation()) {}

  NodeTicket(NodeTicket&& other) noexcept { take(other); }
  NodeTicket& operator=(NodeTicket&& other) noexcept {
    if (this == &other) return *this;
    release();
    take(other);
    return *this;
  }
  ~NodeTicket() { release(); }

  explicit operator bool() const noexcept { return pool_ != nullptr; }

  /// Of a ticket that holds one. Stays valid after release().
  const Node& node() const noexcept { return *node_; }

  /// What to ask this node for. For a model that nobody has heard of it is the view given in
  /// PickRequest.
  std::string_view model_id() const noexcept { return model_id_; }

  /// Which of the node's keys to send: its place in the configuration, from 0.
  std::uint32_t key_index() const noexcept { return key_; }
  KeyId key() const noexcept { return node_->keys()[key_]->id(); }
  /// The same for messages: from 1; 0 when there is no choice.
  int key_number() const noexcept { return node_->several_keys() ? static_cast<int>(key_) + 1 : 0; }

  /// What came of the attempt, once; later calls do nothing. It goes on counting as in flight until
  /// it is released.
  void record(const Outcome& outcome, Time now);

  /// Ends the hold before the destructor does.
  void release();

  /// The same for a node that is not asked after all: the pick does not count as a request.
  void withdraw();

 private:
  struct Changes {
    bool node = false;
    bool pair = false;
    bool outlier = false;
  };

  Changes settle(const Outcome& outcome, Time now);
  bool settle_node_breaker(const Outcome& outcome, Time now);
  bool settle_pair_breaker(const Outcome& outcome, Time now);
  void measure(const Outcome& outcome, Time now);
  void measure_timeout(const Outcome& outcome, Time now);
  void count(const Outcome& outcome);
  void announce(const CircuitBreaker& breaker, std::string_view model, Time now) const;
  void abandon();
  void take(NodeTicket& other) noexcept;

  PoolState* pool_ = nullptr;
  std::shared_ptr<const Node> node_;
  PairState* pair_ = nullptr;
  std::string_view model_id_;
  std::uint32_t key_ = 0;
  CircuitBreaker::Pass node_pass_{};
  CircuitBreaker::Pass pair_pass_{};
  std::uint32_t generation_ = 0;
  bool recorded_ = false;
};

inline void NodeTicket::take(NodeTicket& other) noexcept {
  pool_ = std::exchange(other.pool_, nullptr);
  node_ = std::move(other.node_);
  pair_ = other.pair_;
  model_id_ = other.model_id_;
  key_ = other.key_;
  node_pass_ = other.node_pass_;
  pair_pass_ = other.pair_pass_;
  generation_ = other.generation_;
  recorded_ = other.recorded_;
}

inline void NodeTicket::record(const Outcome& outcome, Time now) {
  if (pool_ == nullptr || std::exchange(recorded_, true)) return;
  count(outcome);
  const Changes changes = settle(outcome, now);
  if (changes.node) announce(node_->state().breaker, {}, now);
  if (changes.pair) announce(pair_->breaker, pair_->model, now);
  if (changes.outlier) pool_->eject_if_outlier(node_, now);
}

inline void NodeTicket::count(const Outcome& outcome) {
  NodeState& state = node_->state();
  const bool blamed = outcome.verdict == Verdict::failure && outcome.blame != Blame::nobody;
  if (blamed) state.stats.failures.fetch_add(1, std::memory_order_relaxed);
  if (outcome.failure_class == FailureClass::none) return;
  state.failures_by_class[static_cast<std::size_t>(outcome.failure_class)].fetch_add(
      1, std::memory_order_relaxed);
}

inline NodeTicket::Changes NodeTicket::settle(const Outcome& outcome, Time now) {
  NodeState& state = node_->state();
  const std::lock_guard guard(state.lock);
  Changes changes;
  changes.node = settle_node_breaker(outcome, now);
  changes.pair = settle_pair_breaker(outcome, now);
  const bool telling = outcome.verdict == Verdict::success || outcome.blame == Blame::node ||
                       outcome.blame == Blame::pair;
  if (telling) {
    state.health.called(outcome.verdict == Verdict::success,
                        outcome.first_content.value_or(outcome.latency), now);
    changes.outlier = state.health.outlier(now);
  }
  measure(outcome, now);
  return changes;
}

/// Any answer proves the connection good, whatever it says.
inline bool NodeTicket::settle_node_breaker(const Outcome& outcome, Time now) {
  NodeState& state = node_->state();
  const bool works = outcome.answered || outcome.verdict == Verdict::success;
  if (!works && outcome.blame != Blame::node) return state.breaker.abandon(node_pass_), false;
  const Verdict verdict = outcome.blame == Blame::node && outcome.verdict == Verdict::failure
                              ? Verdict::failure
                              : Verdict::success;
  if (!state.breaker.record(node_pass_, verdict, now)) return false;
  if (verdict == Verdict::success) state.health.returned(now);
  return true;
}

/// Blamed failures of any class count against the pair; what blames nobody says nothing about it.
inline bool NodeTicket::settle_pair_breaker(const Outcome& outcome, Time now) {
  const bool blamed = outcome.blame == Blame::node || outcome.blame == Blame::pair;
  if (outcome.verdict == Verdict::failure && !blamed) {
    return pair_->breaker.abandon(pair_pass_), false;
  }
  return pair_->breaker.record(pair_pass_, outcome.verdict, now);
}

inline void NodeTicket::measure(const Outcome& outcome, Time now) {
  NodeStats& stats = node_->state().stats;
  if (outcome.failure_class == FailureClass::timeout) return measure_timeout(outcome, now);
  if (outcome.failure_class != FailureClass::none || outcome.verdict == Verdict::failure) return;
  stats.wait_seconds.add(seconds(outcome.first_content.value_or(outcome.latency)), now);
  if (outcome.first_content) {
    stats.first_content_spread.add(*outcome.first_content);
    return stats.first_content_seconds.add(seconds(*outcome.first_content), now);
  }
  stats.latency_spread.add(outcome.latency);
  stats.latency_seconds.add(seconds(outcome.latency), now);
  if (outcome.completion_tokens <= 0) return;
  stats.per_token_seconds.add(
      seconds(outcome.latency) / static_cast<double>(outcome.completion_tokens), now);
}

/// A timeout says "at least that long": it may raise a figure, never lower it. A plain call's
/// tokens are unknown then, so its time per token is raised by as much as its time.
inline void NodeTicket::measure_timeout(const Outcome& outcome, Time now) {
  NodeStats& stats = node_->state().stats;
  const double least = seconds(outcome.latency);
  if (outcome.first_content) return;
  if (outcome.stream) {
    if (least > stats.first_content_seconds.value()) stats.first_content_seconds.add(least, now);
    return;
  }
  const double usual = stats.latency_seconds.value();
  if (least <= usual) return;
  if (usual > 0) stats.per_token_seconds.add(stats.per_token_seconds.value() * least / usual, now);
  stats.latency_seconds.add(least, now);
}

inline void NodeTicket::announce(const CircuitBreaker& breaker, std::string_view model,
                                 Time now) const {
  BreakerState state;
  {
    const std::lock_guard guard(node_->state().lock);
    state = breaker.state(now);
  }
  pool_->changed();
  pool_->announce(state == BreakerState::closed ? NodeChange::Kind::breaker_closed
                                                : NodeChange::Kind::breaker_opened,
                  node_->name(), model);
}

inline void NodeTicket::abandon() {
  using Kind = CircuitBreaker::Pass::Kind;
  if (node_pass_.kind != Kind::probe && pair_pass_.kind != Kind::probe)
    return;  // nothing to give back
  NodeState& state = node_->state();
  const std::lock_guard guard(state.lock);
  state.breaker.abandon(node_pass_);
  pair_->breaker.abandon(pair_pass_);
}

inline void NodeTicket::withdraw() {
  if (pool_ == nullptr) return;
  node_->state().stats.requests.fetch_sub(1, std::memory_order_relaxed);
  release();
}

inline void NodeTicket::release() {
  PoolState* pool = std::exchange(pool_, nullptr);
  if (pool == nullptr || generation_ != pool->generation()) return;
  if (!recorded_) abandon();
  node_->state().stats.in_flight.fetch_sub(1, std::memory_order_acq_rel);
  // Also of a node that was below its cap: of those told before, some may not have come yet. And of
  // one that has been given a cap since: its calls from before count, too.
  const bool capped = node_->state().capped.load(std::memory_order_relaxed);
  if (capped && pool->options().on_slot_free) pool->options().on_slot_free(*node_);
}

}  // namespace llmroute

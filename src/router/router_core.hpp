/// What all calls of one router share. Calls hold it by shared_ptr, so it outlives the Router they
/// came from.
#pragma once

#include <atomic>
#include <llmroute/core/admission_queue.hpp>
#include <llmroute/core/hedge_policy.hpp>
#include <llmroute/core/node_pool.hpp>
#include <llmroute/core/retry_budget.hpp>
#include <llmroute/router.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "layers/layer.hpp"
#include "router/background.hpp"
#include "router/housekeeper.hpp"
#include "router/loop_pool.hpp"
#include "router/settings.hpp"

namespace llmroute::detail {

class RouterCore : public std::enable_shared_from_this<RouterCore> {
 public:
  /// `prepared`: Config::prepare has passed.
  explicit RouterCore(Config prepared);
  ~RouterCore();
  RouterCore(const RouterCore&) = delete;
  RouterCore& operator=(const RouterCore&) = delete;

  /// What holds for calls that begin now; those under way go by their own (CallState::config).
  std::shared_ptr<const Settings> settings() const;

  /// Takes over nodes, models and what else calls read, all or nothing; the result names what does
  /// not hold until the next start.
  Result<std::vector<std::string>> reload(Config config);

  NodePool& pool() noexcept { return pool_; }
  AdmissionQueue& queue() noexcept { return queue_; }
  RetryBudget& budget() noexcept { return budget_; }
  HedgePolicy& hedges() noexcept { return hedges_; }
  RateStore& rates() noexcept { return *rates_; }

  /// For an alias, or null: its own, else the caller's own, else the configured one.
  Strategy& strategy(const Settings& settings, const ModelSettings* model) const noexcept;

  /// Whether any strategy goes by them.
  bool wants_load_reports() const;

  std::span<Layer* const> chain() const noexcept { return chain_; }
  LoopPool& loops() noexcept { return *loops_; }

  Result<void> add_node(NodeConfig node);
  Result<void> update_node(NodeConfig node);
  Result<void> remove_node(std::string_view name);
  Result<void> drain_node(std::string_view name, bool drain);

  void use(std::shared_ptr<Strategy> strategy) { own_strategy_ = std::move(strategy); }
  void use(std::shared_ptr<RateStore> store) { rates_ = std::move(store); }
  void use(std::shared_ptr<Observer> observer) { observers_.push_back(std::move(observer)); }

  bool observed() const noexcept { return !observers_.empty(); }
  void tell(const AttemptEvent& event) const noexcept;
  void tell(const CallEvent& event) const noexcept;
  void tell(const NodeEvent& event) const noexcept;

  /// What this router keeps for an application's loop. On the loop's thread.
  LoopState& state_of(net::Loop& loop);

  /// The background loop; its thread starts with the first use.
  Background& background();

  /// Probes and discovery on the application's loop instead of a thread of the router's own.
  void maintain(net::Loop& loop);

  /// First thing in every call: in a forked child, lets go of what belongs to the parent; starts
  /// housekeeping where needed.
  void enter();

  /// Ends the threads and what runs on them. Calls on loops of the application go on.
  void shut_down();

  std::uint64_t draw_seed() noexcept;

 private:
  PoolOptions pool_options(const Config& config);
  void take_over(Config prepared, const Settings* before);
  bool wants_housekeeping() const;
  void look_after_housekeeping();
  void start_housekeeping();
  void keep_house(Background& thread) noexcept;
  bool forked() const noexcept;
  void after_fork();
  void forget_threads() noexcept;

  static inline std::atomic<std::uint64_t> last_id_{0};
  const std::uint64_t id_ = ++last_id_;  // unlike an address never used twice

  std::atomic<std::uint64_t> seed_;
  NodePool pool_;
  AdmissionQueue queue_;
  RetryBudget budget_;
  HedgePolicy hedges_;
  std::shared_ptr<Strategy> own_strategy_;  // null: the configured ones
  std::shared_ptr<RateStore> rates_;
  std::vector<std::shared_ptr<Observer>> observers_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Layer*> chain_;

  std::mutex reload_mutex_;   // one at a time
  std::mutex threads_mutex_;  // the three below
  std::unique_ptr<LoopPool> loops_;
  std::unique_ptr<Background> background_;
  std::unique_ptr<Background> housekeeping_thread_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::atomic<bool> housekeeping_settled_{false};
  std::atomic<std::uint64_t> fork_generation_;  // whose cleaning is over
  std::atomic<std::uint64_t> fork_seen_;        // whose cleaning has begun
};

}  // namespace llmroute::detail

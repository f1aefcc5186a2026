/// What has to be done when no call asks for it: probing nodes, learning which models they have and
/// how loaded they say they are.
/// Runs on a loop like a call does.
#pragma once

#include <list>
#include <llmroute/core/node_pool.hpp>
#include <llmroute/core/rng.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/http_transfer.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"

namespace llmroute::detail {

class RouterCore;

/// Holds on to the router's core until it is ended: what it finds out goes to observers, and one of
/// those may drop the router.
class Housekeeper final : private net::Doomed {
 public:
  /// On the loop's thread, as everything here.
  Housekeeper(RouterCore& core, net::Loop& loop);
  ~Housekeeper() override;

  /// Nothing is found out any more.
  void stop() noexcept { stopped_ = true; }

  /// Stops it and lets it go; when it is itself what tells of a node, at the end of the turn. Null
  /// is fine.
  static void end(std::unique_ptr<Housekeeper> keeper) noexcept;

  /// How often the models of a node are asked again once it has answered.
  static constexpr Duration discovery_interval = std::chrono::seconds(60);
  /// How soon, while it has not.
  static constexpr Duration retry_discovery = std::chrono::seconds(5);
  static constexpr Duration shortest_tick = std::chrono::milliseconds(10);

  /// A page of metrics that is longer, or takes more than a fifth of the interval, is asked for
  /// half as often, and so on: reading it costs the node, too.
  static constexpr std::size_t long_page = std::size_t{512} << 10;
  static constexpr std::size_t longest_page = std::size_t{4} << 20;  ///< is not read further
  static constexpr Duration longest_metrics_interval = std::chrono::seconds(60);

 private:
  struct Watched;  // one node: what is under way, what is due

  void reap() noexcept override { delete this; }
  template <class F>
  void tell(F&& f);
  void wake_at(Time at);
  void tick_or_later() noexcept;
  void tick();
  void watch_nodes();
  static net::Task<bool> probe(Housekeeper& keeper, Watched& watched);
  static net::Task<bool> learn_models(Housekeeper& keeper, Watched& watched);
  static net::Task<bool> learn_load(Housekeeper& keeper, Watched& watched);
  void ask_for_load(Watched& watched, Time now);
  Duration spread(Duration interval) noexcept;

  const std::shared_ptr<RouterCore> core_;
  net::Loop& loop_;
  Rng rng_;
  net::Timer timer_;
  bool stopped_ = false;
  bool telling_ = false;  // observers are being told: a task of ours is on the stack
  std::list<Watched> watched_;
};

}  // namespace llmroute::detail

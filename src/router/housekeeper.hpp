/// What has to be done when no call asks for it: probing nodes and learning which models they have.
/// Runs on a loop like a call does.
#pragma once

#include <list>
#include <llmroute/core/node_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/http_transfer.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"

namespace llmroute::detail {

class RouterCore;

class Housekeeper {
 public:
  /// On the loop's thread, as everything here.
  Housekeeper(RouterCore& core, net::Loop& loop);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  /// How often the models of a node are asked again once it has answered.
  static constexpr Duration discovery_interval = std::chrono::seconds(60);
  /// How soon, while it has not.
  static constexpr Duration retry_discovery = std::chrono::seconds(5);
  static constexpr Duration shortest_tick = std::chrono::milliseconds(10);

 private:
  struct Watched;  // one node: what is under way, what is due

  void wake_at(Time at);
  void tick_or_later() noexcept;
  void tick();
  void watch_nodes();
  static net::Task<bool> probe(Housekeeper& keeper, Watched& watched);
  static net::Task<bool> learn_models(Housekeeper& keeper, Watched& watched);

  RouterCore& core_;
  net::Loop& loop_;
  net::Timer timer_;
  std::list<Watched> watched_;
};

}  // namespace llmroute::detail

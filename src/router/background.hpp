/// A loop with a thread of its own: for calls that nobody waits for, and for housekeeping.
#pragma once

#include <atomic>
#include <functional>
#include <llmroute/net/event_loop.hpp>
#include <memory>
#include <thread>

#include "router/housekeeper.hpp"
#include "router/loop_state.hpp"

namespace llmroute::detail {

class RouterCore;

class Background {
 public:
  explicit Background(RouterCore& core);

  /// Ends the calls on the loop with `shutting_down`, then the thread. From the loop's own thread
  /// (a callback that drops the router) the thread goes on by itself to its end. In a forked child,
  /// where the thread is not, closes its connections.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  EventLoop& loop() noexcept { return shared_->worker.loop; }
  LoopState& state() noexcept { return shared_->worker.state; }

  /// Keeps a housekeeper to the loop's end. On the loop's thread.
  void keep(std::unique_ptr<Housekeeper> keeper) { shared_->keeper = std::move(keeper); }

 private:
  struct Shared final : net::Errand {
    explicit Shared(RouterCore& core) : worker(core) {}
    void run() override;  // the end
    struct Worker {
      explicit Worker(RouterCore& core) : state(core) {}
      EventLoop loop;
      LoopState state;
    } worker;
    std::unique_ptr<Housekeeper> keeper;
    std::atomic<bool> stop{false};
  };
  static void turn(const std::shared_ptr<Shared>& shared);
  void abandon() noexcept;

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace llmroute::detail

/// Asio as the reactor below an llmroute::EventLoop: calls to nodes and connections of callers then
/// share one epoll, and no wake-up is nested in another.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <llmroute/net/reactor.hpp>
#include <memory>
#include <vector>

#include "gather.hpp"

namespace llmroute {
class EventLoop;
}

namespace http {

/// Construct it, construct the EventLoop on it, then attach() that loop. Destroy in the reverse
/// order, before the io_context. All but wake() on the io_context's thread.
class AsioReactor final : public llmroute::Reactor {
 public:
  explicit AsioReactor(boost::asio::io_context& context);
  ~AsioReactor() override;
  AsioReactor(const AsioReactor&) = delete;
  AsioReactor& operator=(const AsioReactor&) = delete;

  /// What `loop` has for callers goes through `gather`.
  void attach(llmroute::EventLoop& loop, Gather& gather) noexcept {
    loop_ = &loop;
    gather_ = &gather;
  }

  void watch(int fd, llmroute::Interest interest) override;
  void arm(llmroute::Time at) override;
  void wake() override;

 private:
  struct Watch;

  void wait_for(const std::shared_ptr<Watch>& watch, llmroute::Interest one);
  void on_ready(const std::shared_ptr<Watch>& watch, llmroute::Interest one, bool failed);
  void wait_until(llmroute::Time at);
  void call_soon();
  void on_time();

  boost::asio::io_context& context_;
  llmroute::EventLoop* loop_ = nullptr;
  Gather* gather_ = nullptr;
  boost::asio::steady_timer timer_;
  llmroute::Time wanted_ = llmroute::never;   // what arm() asked for
  llmroute::Time waiting_ = llmroute::never;  // what the timer is set to, never later than wanted_
  bool soon_ = false;                         // a call is on the io_context's queue already
  std::atomic<bool> woken_{false};
  std::shared_ptr<bool> alive_;                  // handlers on the queue may outlive this
  std::vector<std::shared_ptr<Watch>> watches_;  // by descriptor
};

}  // namespace http

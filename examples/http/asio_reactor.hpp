/// Asio as the reactor below an llmroute::EventLoop: calls to nodes and connections of callers then
/// share one thread and one wait.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
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
///
/// Asio's waits are one-shot, and each is a system call. So the descriptors are in an epoll set of
/// this class, which Asio watches: they are registered once, and one wake-up serves all that are
/// ready.
class AsioReactor final : public llmroute::Reactor {
 public:
  /// Throws boost::system::system_error when the process is out of descriptors.
  explicit AsioReactor(boost::asio::io_context& context);
  ~AsioReactor() override;
  AsioReactor(const AsioReactor&) = delete;
  AsioReactor& operator=(const AsioReactor&) = delete;

  /// What `loop` has for callers goes through `gather`.
  void attach(llmroute::EventLoop& loop, Gather& gather);

  /// Waits again where a handler that ran out of memory left off: before every run() of the
  /// io_context. May throw std::bad_alloc.
  void resume();

  void watch(int fd, llmroute::Interest interest) override;
  void arm(llmroute::Time at) noexcept override;
  void wake() noexcept override;

 private:
  void wait();
  void on_ready();
  void watch_unknown(int fd, llmroute::Interest interest);
  bool change(int what, int fd, llmroute::Interest interest);
  bool grow(std::size_t size) noexcept;
  std::uint32_t registration(std::size_t index) const noexcept;
  void wait_until(llmroute::Time at);
  void call_soon();
  void on_time();
  void ring(llmroute::Time at) noexcept;

  boost::asio::io_context& context_;
  llmroute::EventLoop* loop_ = nullptr;
  Gather* gather_ = nullptr;
  boost::asio::posix::stream_descriptor epoll_;
  bool waits_ = false;  // Asio watches it
  const int alarm_;     // a timerfd in it, for when Asio has no memory for its own ways
  std::vector<std::uint32_t> watched_;  // by descriptor: the number of its registration; 0: none
  std::uint32_t registrations_ = 0;
  boost::asio::steady_timer timer_;
  llmroute::Time wanted_ = llmroute::never;   // what arm() asked for
  llmroute::Time waiting_ = llmroute::never;  // what the timer is set to, never later than wanted_
  bool soon_ = false;                         // a call is on the io_context's queue already
  std::atomic<bool> woken_{false};
  std::shared_ptr<bool> alive_;  // handlers on the queue may outlive this
};

}  // namespace http

/// Where calls live: every transfer, timer and coroutine of a call belongs to exactly one loop, so
/// a call needs no lock.
#pragma once

#include <functional>
#include <llmroute/core/time.hpp>
#include <llmroute/net/reactor.hpp>
#include <memory>

namespace llmroute {

namespace net {
class Loop;
}

/// One thread at a time turns a loop; only post() may be called from others. Who turns it, drives
/// the calls on it.
///
///     pollfd p{loop.fd(), POLLIN, 0};
///     while (busy) { poll(&p, 1, -1); loop.run_ready(); }
class EventLoop {
 public:
  /// On an own epoll. Throws std::system_error when the process is out of descriptors.
  EventLoop();

  /// On the host's reactor, which must outlive the loop. fd() is then -1 and run_for() must not be
  /// called.
  explicit EventLoop(Reactor& reactor);

  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Readable whenever there is work (level-triggered). Valid as long as the loop.
  int fd() const noexcept;

  /// Does what is ready, never blocks; after 256 events it yields and leaves fd() readable. Not
  /// re-entrant.
  void run_ready();

  /// Waits for work up to `wait`, then does it.
  void run_for(Duration wait);

  /// Runs `work` on the loop's thread, soon and in order. Any thread.
  void post(std::function<void()> work);

  /// For a Reactor: `fd` is ready. Runs what follows from it.
  void on_ready(int fd, bool readable, bool writable, bool failed);

  /// For a Reactor: the armed moment came, or wake() was called.
  void on_timer();

  /// The moment the loop last looked at the clock.
  Time now() const noexcept;

  /// The private half, for the library's own code.
  net::Loop& core() noexcept { return *loop_; }

 private:
  std::unique_ptr<net::Loop> loop_;
};

}  // namespace llmroute

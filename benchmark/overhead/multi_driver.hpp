/// Drives a multi handle by epoll and curl_multi_socket_action, the way that scales to many
/// sockets.
#pragma once

#include <curl/curl.h>

#include <chrono>

#include "poller.hpp"

namespace bench {

class MultiDriver {
 public:
  explicit MultiDriver(CURLM* multi);

  /// Waits, then lets curl work. What is not curl's goes to `other`: sockets that were added to
  /// poller() with a pointer.
  template <class Other>
  void turn(Other&& other);
  void turn() {
    turn([](const epoll_event&) {});
  }

  Poller& poller() noexcept { return poller_; }

 private:
  using Clock = std::chrono::steady_clock;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static bool is_curls(const epoll_event& event) noexcept;
  int until_timer() const;
  void act(const epoll_event& event);
  void act_on_timer();

  CURLM* multi_;
  Poller poller_;
  bool armed_ = false;
  Clock::time_point timer_{};
};

template <class Other>
void MultiDriver::turn(Other&& other) {
  for (const epoll_event& event : poller_.wait(until_timer())) {
    if (is_curls(event))
      act(event);
    else
      other(event);
  }
  if (armed_ && Clock::now() >= timer_) act_on_timer();
}

}  // namespace bench

/// What an EventLoop needs of the machine below it: watch descriptors, arm one timer, be woken. A
/// program with a loop of its own (Asio, libuv, a game loop) implements this and saves the nested
/// wake-up of a second epoll.
#pragma once

#include <llmroute/core/time.hpp>

namespace llmroute {

enum class Interest : unsigned { none = 0, read = 1, write = 2, read_write = 3 };

/// Calls back into EventLoop::on_ready and EventLoop::on_timer, on the loop's thread, never from
/// inside these functions.
class Reactor {
 public:
  virtual ~Reactor() = default;

  /// From now on report readiness of `fd` as `interest` says, level-triggered; `none`: stop
  /// watching, which must take effect before the return, as the descriptor may be closed and its
  /// number used again right after.
  virtual void watch(int fd, Interest interest) = 0;

  /// Call EventLoop::on_timer once at `at`; replaces the moment armed before. `never` disarms.
  virtual void arm(Time at) = 0;

  /// Call EventLoop::on_timer soon. The only function that other threads may call.
  virtual void wake() = 0;
};

}  // namespace llmroute

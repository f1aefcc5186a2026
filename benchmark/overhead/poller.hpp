/// An epoll instance that hands back the pointer a descriptor was added with.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

namespace bench {

class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, void* who, std::uint32_t events = EPOLLIN);
  void change(int fd, void* who, std::uint32_t events);
  void remove(int fd);

  /// Level-triggered; -1 waits without end.
  std::span<const epoll_event> wait(int milliseconds);

 private:
  int fd_;
  std::array<epoll_event, 256> ready_{};
};

}  // namespace bench

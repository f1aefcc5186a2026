#include "poller.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bench {

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Poller::~Poller() { close(fd_); }

void Poller::add(int fd, void* who, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = who}};
  epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
}

void Poller::change(int fd, void* who, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = who}};
  epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) { epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> Poller::wait(int milliseconds) {
  const int count = epoll_wait(fd_, ready_.data(), static_cast<int>(ready_.size()), milliseconds);
  return {ready_.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
}

}  // namespace bench

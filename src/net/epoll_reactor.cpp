/// epoll, one eventfd to be woken by, one timerfd for hosts that only wait on the descriptor.
#include "net/epoll_reactor.hpp"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <system_error>

namespace llmroute::net {

namespace {

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return fd;
}

int milliseconds(Duration most) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(most).count();
  return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, INT_MAX));
}

unsigned events_of(Interest interest) noexcept {
  const auto bits = static_cast<unsigned>(interest);
  return ((bits & static_cast<unsigned>(Interest::read)) != 0 ? unsigned{EPOLLIN} : 0U) |
         ((bits & static_cast<unsigned>(Interest::write)) != 0 ? unsigned{EPOLLOUT} : 0U);
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

EpollReactor::EpollReactor()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      event_(checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      timer_(checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd")) {
  for (const int fd : {event_.get(), timer_.get()}) {
    checked(change(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET), "epoll_ctl");  // edges need no read()
  }
}

int EpollReactor::change(int what, int fd, unsigned events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return epoll_ctl(epoll_.get(), what, fd, &event);
}

void EpollReactor::watch(int fd, Interest interest) {
  const auto index = static_cast<std::size_t>(fd);
  const unsigned events = events_of(interest);
  if (index >= watched_.size() && !grow(index + 1)) return change_unknown(fd, events);
  if (interest == Interest::none) {
    if (watched_[index] != 0) change(EPOLL_CTL_DEL, fd, 0);
    watched_[index] = 0;
    return;
  }
  const bool known = watched_[index] != 0;
  watched_[index] = 1;
  if (known && (change(EPOLL_CTL_MOD, fd, events) == 0 || errno != ENOENT)) return;
  // New, or closed by others and its number used again. Out of kernel memory: the call's clocks
  // notice.
  if (change(EPOLL_CTL_ADD, fd, events) == 0) return;
  // There all the same: taking it out has failed.
  if (errno != EEXIST || change(EPOLL_CTL_MOD, fd, events) != 0) watched_[index] = 0;
}

bool EpollReactor::grow(std::size_t size) noexcept {
  try {
    watched_.resize(size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

/// Without memory to note what is in the set the kernel is asked.
void EpollReactor::change_unknown(int fd, unsigned events) noexcept {
  if (events == 0) {
    change(EPOLL_CTL_DEL, fd, 0);
  } else if (change(EPOLL_CTL_MOD, fd, events) != 0) {
    change(EPOLL_CTL_ADD, fd, events);
  }
}

void EpollReactor::arm(Time at) {
  itimerspec when{};  // all zero disarms
  if (at != never) {
    const auto ns = std::max<std::int64_t>(1, at.time_since_epoch() / std::chrono::nanoseconds(1));
    when.it_value.tv_sec = ns / 1'000'000'000;
    when.it_value.tv_nsec = ns % 1'000'000'000;
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void EpollReactor::wake() {
  const std::uint64_t one = 1;
  while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

std::span<const epoll_event> EpollReactor::wait(Duration most) {
  const int count = epoll_wait(epoll_.get(), ready_, most_ready, milliseconds(most));
  if (count <= 0) return {};  // interrupted by a signal: nothing yet
  const auto own = [this](const epoll_event& event) {
    return event.data.fd == event_.get() || event.data.fd == timer_.get();
  };
  epoll_event* end = std::remove_if(ready_, ready_ + count, own);
  return {ready_, end};
}

}  // namespace llmroute::net

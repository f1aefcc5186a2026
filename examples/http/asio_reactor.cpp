/// Readiness by epoll, time and wake-ups by Asio.
#include "asio_reactor.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <llmroute/net/event_loop.hpp>
#include <new>
#include <utility>

namespace http {

using boost::system::error_code;
using llmroute::Interest;

namespace {

constexpr int most_ready = 256;  // then others on the io_context have their turn

/// Stands for the alarm among the events, where others have descriptor and registration.
constexpr std::uint64_t alarm_event = ~std::uint64_t{0};

int checked(int fd, const char* what) {
  if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category(), what);
  return fd;
}

bool has(Interest all, Interest one) {
  return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

}  // namespace

AsioReactor::AsioReactor(boost::asio::io_context& context)
    : context_(context),
      epoll_(context, checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      alarm_(
          checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      timer_(context),
      alive_(std::make_shared<bool>(true)) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // an edge needs no read()
  event.data.u64 = alarm_event;
  checked(epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, alarm_, &event), "epoll_ctl");
}

AsioReactor::~AsioReactor() {
  *alive_ = false;
  ::close(alarm_);
}

void AsioReactor::attach(llmroute::EventLoop& loop, Gather& gather) {
  loop_ = &loop;
  gather_ = &gather;
  resume();
}

void AsioReactor::resume() {
  if (!waits_) wait();
}

void AsioReactor::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this, alive = alive_](const error_code& error) {
                      if (error || !*alive) return;
                      waits_ = false;
                      gather_->during([this] { on_ready(); });
                      wait();
                    });
  waits_ = true;
}

void AsioReactor::on_ready() {
  std::array<epoll_event, most_ready> ready;
  const int count = epoll_wait(epoll_.native_handle(), ready.data(), most_ready, 0);
  for (int i = 0; i < count; ++i) {
    if (ready[i].data.u64 == alarm_event) {
      loop_->on_timer();
      continue;
    }
    const std::uint32_t events = ready[i].events;
    const auto fd = static_cast<std::uint32_t>(ready[i].data.u64);
    const bool ended = registration(fd) != ready[i].data.u64 >> 32;  // by one of those before it
    if (ended) continue;
    loop_->on_ready(static_cast<int>(fd), (events & EPOLLIN) != 0, (events & EPOLLOUT) != 0,
                    (events & (EPOLLERR | EPOLLHUP)) != 0);
  }
}

bool AsioReactor::change(int what, int fd, Interest interest) {
  epoll_event event{};
  if (has(interest, Interest::read)) event.events |= EPOLLIN;
  if (has(interest, Interest::write)) event.events |= EPOLLOUT;
  const auto index = static_cast<std::uint32_t>(fd);
  event.data.u64 = index | std::uint64_t{registration(index)} << 32;
  return epoll_ctl(epoll_.native_handle(), what, fd, &event) == 0;
}

void AsioReactor::watch(int fd, Interest interest) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size() && !grow(index + 1)) return watch_unknown(fd, interest);
  if (interest == Interest::none) {
    if (watched_[index] != 0) change(EPOLL_CTL_DEL, fd, interest);
    watched_[index] = 0;
    return;
  }
  if (watched_[index] != 0 && (change(EPOLL_CTL_MOD, fd, interest) || errno != ENOENT)) return;
  // New, or closed by others and its number used again. Out of kernel memory: the call's clocks
  // notice.
  if (++registrations_ == 0) ++registrations_;
  watched_[index] = registrations_;
  if (change(EPOLL_CTL_ADD, fd, interest)) return;
  // There all the same: taking it out has failed.
  if (errno != EEXIST || !change(EPOLL_CTL_MOD, fd, interest)) watched_[index] = 0;
}

/// There is no memory for its registration: it has none.
void AsioReactor::watch_unknown(int fd, Interest interest) {
  if (interest == Interest::none) {
    change(EPOLL_CTL_DEL, fd, interest);
  } else if (!change(EPOLL_CTL_MOD, fd, interest)) {
    change(EPOLL_CTL_ADD, fd, interest);
  }
}

bool AsioReactor::grow(std::size_t size) noexcept {
  try {
    watched_.resize(size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

std::uint32_t AsioReactor::registration(std::size_t index) const noexcept {
  return index < watched_.size() ? watched_[index] : 0;
}

void AsioReactor::arm(llmroute::Time at) noexcept {
  wanted_ = at;
  if (at == llmroute::never) return;
  try {
    if (at <= llmroute::Clock::now()) return call_soon();
    if (at < waiting_) wait_until(at);
  } catch (const std::bad_alloc&) {
    ring(at);
  }
}

void AsioReactor::wait_until(llmroute::Time at) {
  waiting_ = llmroute::never;
  timer_.expires_at(at);
  timer_.async_wait([this, alive = alive_](const error_code& error) {
    if (error || !*alive) return;
    waiting_ = llmroute::never;
    on_time();
  });
  waiting_ = at;
}

/// Any thread. Neither takes memory nor waits for any.
void AsioReactor::ring(llmroute::Time at) noexcept {
  const auto since = std::max(at.time_since_epoch(), llmroute::Duration(1));  // 0 would disarm it
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since);
  itimerspec when{};
  when.it_value.tv_sec = static_cast<std::time_t>(whole.count());
  when.it_value.tv_nsec = static_cast<long>((since - whole).count());
  timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &when, nullptr);
}

/// A timer that was set for an earlier moment than is wanted now is let run: setting it anew for
/// every call costs more than looking once too often.
void AsioReactor::on_time() {
  if (wanted_ == llmroute::never) return;
  if (wanted_ > llmroute::Clock::now()) {
    if (wanted_ < waiting_) wait_until(wanted_);
    return;
  }
  wanted_ = llmroute::never;
  gather_->during([this] { loop_->on_timer(); });
}

void AsioReactor::call_soon() {
  if (soon_) return;
  boost::asio::post(context_, [this, alive = alive_] {
    if (!*alive) return;
    soon_ = false;
    on_time();
  });
  soon_ = true;
}

void AsioReactor::wake() noexcept {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  try {
    boost::asio::post(context_, [this, alive = alive_] {
      if (!*alive) return;
      woken_.store(false, std::memory_order_release);
      gather_->during([this] { loop_->on_timer(); });
    });
  } catch (const std::bad_alloc&) {
    woken_.store(false, std::memory_order_release);
    ring(llmroute::Clock::now());
  }
}

}  // namespace http

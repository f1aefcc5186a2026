/// Readiness by epoll, time and wake-ups by Asio.
#include "asio_reactor.hpp"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <llmroute/net/event_loop.hpp>
#include <utility>

namespace http {

using boost::system::error_code;
using llmroute::Interest;

namespace {

constexpr int most_ready = 256;  // then others on the io_context have their turn

int open_epoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category(), "epoll");
  return fd;
}

bool has(Interest all, Interest one) {
  return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

}  // namespace

AsioReactor::AsioReactor(boost::asio::io_context& context)
    : context_(context),
      epoll_(context, open_epoll()),
      timer_(context),
      alive_(std::make_shared<bool>(true)) {}

AsioReactor::~AsioReactor() { *alive_ = false; }

void AsioReactor::attach(llmroute::EventLoop& loop, Gather& gather) {
  loop_ = &loop;
  gather_ = &gather;
  wait();
}

void AsioReactor::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this, alive = alive_](const error_code& error) {
                      if (error || !*alive) return;
                      gather_->during([this] { on_ready(); });
                      wait();
                    });
}

void AsioReactor::on_ready() {
  std::array<epoll_event, most_ready> ready;
  const int count = epoll_wait(epoll_.native_handle(), ready.data(), most_ready, 0);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t events = ready[i].events;
    const auto fd = static_cast<std::uint32_t>(ready[i].data.u64);
    const bool ended = watched_[fd] != ready[i].data.u64 >> 32;  // by one of those before it
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
  event.data.u64 = index | std::uint64_t{watched_[index]} << 32;
  return epoll_ctl(epoll_.native_handle(), what, fd, &event) == 0;
}

void AsioReactor::watch(int fd, Interest interest) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + 1);
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
  if (!change(EPOLL_CTL_ADD, fd, interest)) watched_[index] = 0;
}

void AsioReactor::arm(llmroute::Time at) {
  wanted_ = at;
  if (at == llmroute::never) return;
  if (at <= llmroute::Clock::now()) return call_soon();
  if (at < waiting_) wait_until(at);
}

void AsioReactor::wait_until(llmroute::Time at) {
  waiting_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this, alive = alive_](const error_code& error) {
    if (error || !*alive) return;
    waiting_ = llmroute::never;
    on_time();
  });
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
  if (std::exchange(soon_, true)) return;
  boost::asio::post(context_, [this, alive = alive_] {
    if (!*alive) return;
    soon_ = false;
    on_time();
  });
}

void AsioReactor::wake() {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  boost::asio::post(context_, [this, alive = alive_] {
    if (!*alive) return;
    woken_.store(false, std::memory_order_release);
    gather_->during([this] { loop_->on_timer(); });
  });
}

}  // namespace http

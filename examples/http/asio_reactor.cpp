/// Level-triggered readiness out of Asio's one-shot waits, which see what is ready already.
#include "asio_reactor.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <llmroute/net/event_loop.hpp>
#include <utility>

namespace http {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;
using llmroute::Interest;

namespace {

bool has(Interest all, Interest one) {
  return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

}  // namespace

struct AsioReactor::Watch {
  Watch(boost::asio::io_context& context, int fd) : descriptor(context, fd) {}
  boost::asio::posix::stream_descriptor descriptor;
  Interest interest = Interest::none;
  Interest waiting = Interest::none;  // waits under way
};

AsioReactor::AsioReactor(boost::asio::io_context& context)
    : context_(context), timer_(context), alive_(std::make_shared<bool>(true)) {}

AsioReactor::~AsioReactor() {
  *alive_ = false;
  for (const auto& watch : watches_) {
    if (watch) watch->descriptor.release();  // the descriptors are the transfers'
  }
}

void AsioReactor::watch(int fd, Interest interest) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watches_.size()) watches_.resize(index + 1);
  std::shared_ptr<Watch>& watch = watches_[index];
  if (interest == Interest::none) {
    if (!watch) return;
    watch->interest = Interest::none;
    watch->descriptor.release();  // takes it out of the epoll set now; waits under way end with
                                  // operation_aborted
    watch.reset();
    return;
  }
  if (!watch) watch = std::make_shared<Watch>(context_, fd);
  watch->interest = interest;
  for (const Interest one : {Interest::read, Interest::write}) wait_for(watch, one);
}

void AsioReactor::wait_for(const std::shared_ptr<Watch>& watch, Interest one) {
  if (!has(watch->interest, one) || has(watch->waiting, one)) return;
  watch->waiting =
      static_cast<Interest>(static_cast<unsigned>(watch->waiting) | static_cast<unsigned>(one));
  const auto kind =
      one == Interest::read ? descriptor_base::wait_read : descriptor_base::wait_write;
  watch->descriptor.async_wait(kind, [this, alive = alive_, watch, one](const error_code& error) {
    if (*alive && error != boost::asio::error::operation_aborted)
      on_ready(watch, one, static_cast<bool>(error));
  });
}

void AsioReactor::on_ready(const std::shared_ptr<Watch>& watch, Interest one, bool failed) {
  watch->waiting =
      static_cast<Interest>(static_cast<unsigned>(watch->waiting) & ~static_cast<unsigned>(one));
  if (!has(watch->interest, one)) return;  // no longer wanted
  const int fd = watch->descriptor.native_handle();
  gather_->during(
      [&] { loop_->on_ready(fd, one == Interest::read, one == Interest::write, failed); });
  wait_for(watch, one);  // does nothing when it is not watched any more
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

/// The public face of a loop: hands everything to the private half.
#include <llmroute/net/event_loop.hpp>

#include "net/loop.hpp"

namespace llmroute {

EventLoop::EventLoop() : loop_(std::make_unique<net::Loop>()) {}
EventLoop::EventLoop(Reactor& reactor) : loop_(std::make_unique<net::Loop>(reactor)) {}
EventLoop::~EventLoop() = default;

int EventLoop::fd() const noexcept { return loop_->fd(); }
void EventLoop::run_ready() { loop_->run_ready(); }
void EventLoop::run_for(Duration wait) { loop_->run_for(wait); }
void EventLoop::post(std::function<void()> work) { loop_->post(std::move(work)); }
void EventLoop::on_ready(int fd, bool readable, bool writable, bool failed) {
  loop_->on_ready(fd, readable, writable, failed);
}
void EventLoop::on_timer() { loop_->on_timer(); }
Time EventLoop::now() const noexcept { return loop_->now(); }

}  // namespace llmroute

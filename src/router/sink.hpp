/// Where a stream's events go: a rendezvous between the attempt that produces them and whoever
/// reads. Synchronous, so that an event costs no coroutine frame; a reader that is not ready keeps
/// the event and the producer sleeps until it is done with it.
#pragma once

#include <coroutine>
#include <llmroute/router.hpp>

#include "net/loop.hpp"

namespace llmroute::detail {

class Sink {
 public:
  explicit Sink(net::Loop& loop) noexcept : loop_(&loop) {}
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Told once, before the first event.
  virtual void head(const StreamHead& head) = 0;

  /// True: done with the event. False: its views are kept, and nothing more may come until
  /// drained().
  virtual bool offer(const Event& event) = 0;

  /// The reader is done with the event it kept. On the loop's thread.
  void drained() noexcept {
    if (producer_ != nullptr) loop_->wake(*producer_);
  }

 private:
  friend class Drained;
  net::Loop* loop_;
  net::Waiter* producer_ = nullptr;
};

/// `Drained drained{sink}; co_await drained;` sleeps until the reader is done with what it kept.
class Drained {
 public:
  explicit Drained(Sink& sink) noexcept : sink_(sink) {}
  Drained(const Drained&) = delete;
  Drained& operator=(const Drained&) = delete;
  ~Drained() {
    if (sink_.producer_ == &waiter_) sink_.producer_ = nullptr;
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept {
    waiter_.handle = handle;
    sink_.producer_ = &waiter_;
  }
  void await_resume() noexcept { sink_.producer_ = nullptr; }

 private:
  Sink& sink_;
  net::Waiter waiter_{};
};

}  // namespace llmroute::detail

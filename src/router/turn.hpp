/// Waiting in the admission queue from a coroutine: the queue grants from whatever thread frees a
/// place, the coroutine goes on on its own loop.
#pragma once

#include <coroutine>
#include <llmroute/core/admission_queue.hpp>
#include <llmroute/core/time.hpp>
#include <memory>

#include "net/loop.hpp"
#include "router/call_state.hpp"

namespace llmroute::detail {

class Turn {
 public:
  explicit Turn(CallState& call);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  AdmissionWaiter& waiter() noexcept { return waiter_; }

  /// `Turn::Wait wait(turn, deadline); bool came = co_await wait;` False: the deadline came first,
  /// or another took this one's place in a full queue.
  class Wait {
   public:
    Wait(Turn& turn, Time deadline) noexcept : turn_(turn), deadline_(deadline) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { turn_.bell_->sleeper = nullptr; }

    bool await_ready() const noexcept { return turn_.bell_->rung; }
    void await_suspend(std::coroutine_handle<> handle);
    bool await_resume() { return std::exchange(turn_.bell_->rung, false) && !turn_.waiter_.shed(); }

   private:
    Turn& turn_;
    Time deadline_;
    net::Waiter waiter_{};
    net::Timer timer_{};
  };

 private:
  /// What a grant reaches: outlives the coroutine, and knows whether it still sleeps. All but
  /// `loop` on the loop's thread.
  struct Bell final : net::Errand, std::enable_shared_from_this<Bell> {
    explicit Bell(net::Loop& event_loop) noexcept : loop(event_loop) {}
    void run() override;
    net::Loop& loop;
    net::Waiter* sleeper = nullptr;
    bool rung = false;
  };
  static void granted(void* bell);

  std::shared_ptr<Bell> bell_;  // before the waiter, whose destructor waits for grants under way
  AdmissionWaiter waiter_;
};

}  // namespace llmroute::detail

/// Waiting for a store's decision from a coroutine: the store answers on whatever thread it likes,
/// the coroutine goes on on its own loop.
#pragma once

#include <coroutine>
#include <llmroute/rate_store.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "net/loop.hpp"

namespace llmroute::detail {

class RateAnswer {
  /// What a decision reaches: outlives the coroutine, and knows whether that still waits.
  struct Letter final : net::Errand {
    explicit Letter(net::Loop& event_loop) noexcept : loop(&event_loop) {}
    void run() override;

    std::mutex lock{};  // the two below
    net::Loop* loop;    // null: nobody waits any more
    std::optional<RateDecision> decision{};
    net::Waiter* sleeper = nullptr;  // the loop's thread alone
  };

 public:
  explicit RateAnswer(net::Loop& loop) : letter_(std::make_shared<Letter>(loop)) {}
  ~RateAnswer();
  RateAnswer(const RateAnswer&) = delete;
  RateAnswer& operator=(const RateAnswer&) = delete;

  /// What the store calls with its decision.
  RateStore::Later receiver() const;

  /// `RateAnswer::Wait wait(answer); RateDecision decision = co_await wait;`
  class Wait {
   public:
    explicit Wait(RateAnswer& answer) noexcept : letter_(*answer.letter_) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { letter_.sleeper = nullptr; }

    bool await_ready() const;
    void await_suspend(std::coroutine_handle<> handle);
    RateDecision await_resume();

   private:
    Letter& letter_;
    net::Waiter waiter_{};
  };

 private:
  static void deliver(const std::shared_ptr<Letter>& letter, RateDecision decision);

  std::shared_ptr<Letter> letter_;
};

}  // namespace llmroute::detail

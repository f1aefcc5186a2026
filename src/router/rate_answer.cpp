#include "router/rate_answer.hpp"

#include <utility>

namespace llmroute::detail {

/// Whoever stops waiting lets go of the decision outside the lock: giving back may take a while.
RateAnswer::~RateAnswer() {
  std::optional<RateDecision> unread;
  const std::lock_guard held(letter_->lock);
  letter_->loop = nullptr;
  unread.swap(letter_->decision);
}

RateStore::Later RateAnswer::receiver() const {
  return [letter = letter_](RateDecision decision) { deliver(letter, std::move(decision)); };
}

void RateAnswer::deliver(const std::shared_ptr<Letter>& letter, RateDecision decision) {
  const std::lock_guard held(letter->lock);  // the loop lives as long as somebody waits on it
  if (letter->loop == nullptr) return;
  letter->decision = std::move(decision);
  letter->loop->post(*letter, letter);
}

void RateAnswer::Letter::run() {
  if (sleeper == nullptr) return;
  const std::lock_guard held(lock);
  if (loop != nullptr) loop->wake(*sleeper);
}

bool RateAnswer::Wait::await_ready() const {
  const std::lock_guard held(letter_.lock);
  return letter_.decision.has_value();
}

void RateAnswer::Wait::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  letter_.sleeper = &waiter_;
}

RateDecision RateAnswer::Wait::await_resume() {
  const std::lock_guard held(letter_.lock);
  return std::move(*letter_.decision);
}

}  // namespace llmroute::detail

#include "gil_line.hpp"

#include <pthread.h>

#include <ctime>
#include <new>
#include <utility>

namespace llmroute::python {

PlaceInLine::PlaceInLine() noexcept { sem_init(&woken_, 0, 0); }

PlaceInLine::~PlaceInLine() { sem_destroy(&woken_); }

bool PlaceInLine::sleep(std::chrono::nanoseconds most) noexcept {
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  const std::chrono::nanoseconds end = std::chrono::nanoseconds(until.tv_nsec) + most;
  until.tv_sec += end / std::chrono::seconds(1);
  until.tv_nsec = (end % std::chrono::seconds(1)).count();
  return sem_clockwait(&woken_, CLOCK_MONOTONIC, &until) == 0;
}

bool PlaceInLine::wait(std::chrono::nanoseconds most) noexcept {
  if (sleep(most)) return true;
  if (state_ == State::waits_for_answer) return false;
  State was = State::in_line;
  if (!sleep(most)) state_.compare_exchange_strong(was, State::went_ahead);
  return true;
}

GilLine& GilLine::instance() noexcept {
  // Threads may come while the process ends: it is never destroyed.
  union Kept {
    constexpr Kept() : line() {}
    ~Kept() {}
    GilLine line;
  };
  static constinit Kept kept;
  return kept.line;
}

void GilLine::open_in_children() {
  const auto nobody_waits = [] { new (&instance()) GilLine; };
  if (pthread_atfork(nullptr, nullptr, nobody_waits) != 0) throw std::bad_alloc();
}

void GilLine::enter(std::shared_ptr<PlaceInLine> place) noexcept {
  PlaceInLine& entering = *place;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(somebody_is_called_, true)) {
      entering.state_ = PlaceInLine::State::in_line;
      (first_ ? last_->behind_ : first_) = std::move(place);
      last_ = &entering;
      return;
    }
  }
  entering.state_ = PlaceInLine::State::called;
  sem_post(&entering.woken_);
}

void GilLine::call_next() noexcept {
  std::unique_lock lock(mutex_);
  while (const std::shared_ptr<PlaceInLine> next = std::move(first_)) {
    first_ = std::move(next->behind_);
    auto was = PlaceInLine::State::in_line;
    if (!next->state_.compare_exchange_strong(was, PlaceInLine::State::called)) continue;
    lock.unlock();
    sem_post(&next->woken_);
    return;
  }
  somebody_is_called_ = false;
}

}  // namespace llmroute::python

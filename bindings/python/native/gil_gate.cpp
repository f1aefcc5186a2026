#include "gil_gate.hpp"

#include <pthread.h>
#include <semaphore.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <new>
#include <type_traits>
#include <utility>

namespace llmroute::python {

namespace {

/// It has a turn, as far as it knows: somebody out of patience may have taken it.
constinit thread_local bool has_turn = false;

const void* this_thread() noexcept { return &has_turn; }

// Threads may come while the process ends: nothing is destroyed then.
constinit GilGate gate;
static_assert(std::is_trivially_destructible_v<GilGate>);

void nobody_waits() noexcept {
  new (&gate) GilGate;
  has_turn = false;
}

}  // namespace

struct GilGate::Waiter {
  Waiter(const void* whose, Waiter* last) noexcept : thread(whose), before(last) {
    sem_init(&called, 0, 0);
  }
  ~Waiter() { sem_destroy(&called); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// False: `most` is over.
  bool wait(std::chrono::nanoseconds most) noexcept {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const std::int64_t ns = until.tv_nsec + most.count();
    until.tv_sec += ns / 1'000'000'000;
    until.tv_nsec = ns % 1'000'000'000;
    while (sem_clockwait(&called, CLOCK_MONOTONIC, &until) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }
  void wait() noexcept {
    while (sem_wait(&called) != 0) {
    }
  }

  const void* thread;
  sem_t called{};
  bool turn = false;  // and the call comes, if it has not yet
  Waiter* before;
  Waiter* behind = nullptr;
};

GilGate& GilGate::instance() noexcept { return gate; }

void GilGate::open_in_children() {
  if (pthread_atfork(nullptr, nullptr, &nobody_waits) != 0) throw std::bad_alloc();
}

void GilGate::enter() noexcept {
  has_turn = true;
  std::unique_lock lock(mutex_);
  if (turn_of_ == nullptr || turn_of_ == this_thread()) {  // which had one, and ended, or came back
    turn_of_ = this_thread();
    return;
  }
  Waiter waiter(this_thread(), last_);
  (last_ != nullptr ? last_->behind : first_) = &waiter;
  last_ = &waiter;
  const auto most = patience * ++waiting_;
  lock.unlock();
  if (waiter.wait(most)) return;
  lock.lock();
  if (waiter.turn) {
    lock.unlock();
    return waiter.wait();
  }
  remove(waiter);
  turn_of_ = this_thread();
  brief_left_ = brief_turns;
}

void GilGate::arrive() noexcept {
  std::unique_lock lock(mutex_);
  if (turn_of_ != this_thread() || (first_ != nullptr && brief_left_ == 0)) return;
  if (brief_left_ > 0) --brief_left_;
  pass_on(lock);
}

void GilGate::leave() noexcept {
  if (!std::exchange(has_turn, false)) return;
  std::unique_lock lock(mutex_);
  if (turn_of_ == this_thread()) pass_on(lock);
}

void GilGate::pass_on(std::unique_lock<std::mutex>& lock) noexcept {
  has_turn = false;
  turn_of_ = nullptr;
  if (first_ == nullptr) return;
  Waiter& next = *first_;
  remove(next);
  turn_of_ = next.thread;
  next.turn = true;
  lock.unlock();
  sem_post(&next.called);  // it stays until it has been called
}

void GilGate::remove(Waiter& waiter) noexcept {
  (waiter.before != nullptr ? waiter.before->behind : first_) = waiter.behind;
  (waiter.behind != nullptr ? waiter.behind->before : last_) = waiter.before;
  --waiting_;
}

}  // namespace llmroute::python

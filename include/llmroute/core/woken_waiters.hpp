/// Waiters whose turn has come, or will not come, between the lock under which that is settled and
/// the moment they are told.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <llmroute/core/admission_waiter.hpp>
#include <new>
#include <vector>

namespace llmroute {

/// Told once the lock is left, at the latest by the destructor. Turns are given out where permits
/// are given back, in destructors: the usual few take no memory, and without memory for more those
/// stay in line.
class WokenWaiters {
 public:
  WokenWaiters() = default;
  WokenWaiters(const WokenWaiters&) = delete;
  WokenWaiters& operator=(const WokenWaiters&) = delete;
  ~WokenWaiters() { notify(); }

  /// For another one beside the two that may always be added: who is shed, and who is granted.
  bool room() noexcept;
  void add(AdmissionWaiter& waiter) noexcept;
  void notify() noexcept;

 private:
  std::array<AdmissionWaiter*, 5> few_{};
  std::size_t count_ = 0;
  std::vector<AdmissionWaiter*> more_;
};

inline bool WokenWaiters::room() noexcept {
  if (count_ + 2 < few_.size() || more_.size() < more_.capacity()) return true;
  try {
    more_.reserve(2 * (more_.size() + few_.size()));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

inline void WokenWaiters::add(AdmissionWaiter& waiter) noexcept {
  if (more_.size() < more_.capacity()) {
    more_.push_back(&waiter);
  } else {
    few_[count_++] = &waiter;
  }
}

/// A waiter is touched for the last time by the subtraction: its destructor waits for that.
inline void WokenWaiters::notify() noexcept {
  const auto tell = [](AdmissionWaiter* waiter) {
    waiter->granted_(waiter->context_);
    waiter->being_notified_.fetch_sub(1, std::memory_order_release);
  };
  std::for_each_n(few_.begin(), count_, tell);
  count_ = 0;
  std::for_each(more_.begin(), more_.end(), tell);
  more_.clear();
}

}  // namespace llmroute

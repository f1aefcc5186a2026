#include "handle.hpp"

#include <array>
#include <memory>
#include <mutex>

namespace llmroute::capi {

namespace {

/// Where the last freed handles lie. There are several, so that threads seldom meet at one; where
/// they do, and in a forked child whose parent was in here, a handle goes at once.
class Graveyard {
 public:
  void bury(Handle* handle) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) std::swap(handle, places_[next_++ % places_.size()]);
    const std::unique_ptr<Handle> oldest(handle);
  }

 private:
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::array<Handle*, 32> places_{};  // plain pointers: at exit others may still look
};

void bury(Handle* handle) noexcept {
  static std::array<Graveyard, 16> graveyards;
  graveyards[(reinterpret_cast<std::uintptr_t>(handle) >> 6) % graveyards.size()].bury(handle);
}

}  // namespace

bool Handle::enter(Kind kind) noexcept {
  if (kind_ != kind) return false;
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  do {
    if ((state & freed_bit) != 0) return false;
  } while (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  return true;
}

void Handle::leave() noexcept {
  if (state_.fetch_sub(1, std::memory_order_acq_rel) != (freed_bit | 1)) return;
  release();
  bury(this);
}

void Handle::free(Kind kind) noexcept {
  if (kind_ != kind) return;
  if (state_.fetch_or(freed_bit, std::memory_order_acq_rel) != 0)
    return;  // in use, or freed before
  release();
  bury(this);
}

}  // namespace llmroute::capi

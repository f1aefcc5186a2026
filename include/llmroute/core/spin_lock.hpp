/// A lock for a few dozen instructions: what the state of one node is guarded by. Unlike std::mutex
/// it can be put back to "free" in a forked child, where the thread that held it does not exist.
#pragma once

#include <atomic>
#include <thread>

namespace llmroute {

/// Meets Lockable, so std::lock_guard and std::unique_lock work. Never held over a callback or an
/// await.
class SpinLock {
 public:
  bool try_lock() noexcept { return !held_.exchange(true, std::memory_order_acquire); }

  void lock() noexcept {
    for (int spins = 0; !try_lock(); ++spins) {
      if (spins > 32) std::this_thread::yield();  // the holder was preempted: let it run
    }
  }

  void unlock() noexcept { held_.store(false, std::memory_order_release); }

  /// For the only thread of a forked child.
  void reset_after_fork() noexcept { unlock(); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace llmroute

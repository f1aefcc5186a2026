/// Moments at which something is to happen. A timer belongs to what waits for it and is gone when
/// that is destroyed; arming allocates nothing once the heap has grown to its usual size.
#pragma once

#include <cstddef>
#include <llmroute/core/time.hpp>
#include <vector>

namespace llmroute::net {

class Loop;
class Timer;

/// The armed timers of a loop, the earliest first: a binary heap in which each timer knows its
/// place.
class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;
  ~TimerHeap();

  bool empty() const noexcept { return entries_.empty(); }
  Time next() const noexcept { return empty() ? never : entries_.front().at; }

  /// Fires the earliest if it is due at `now`. False: none was.
  bool fire_one(Time now);

 private:
  friend class Timer;
  struct Entry {
    Time at;
    Timer* timer;
  };

  void insert(Timer& timer, Time at);
  void move(std::size_t index, Time at) noexcept;
  void erase(std::size_t index) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  void place(std::size_t index, Entry entry) noexcept;

  std::vector<Entry> entries_;
};

/// On its loop's thread only. O(log n) to arm and disarm.
class Timer {
 public:
  using Callback = void (*)(void*);

  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  /// Calls `callback(context)` once, at `at` or soon after, outside of libcurl and of any
  /// coroutine; replaces what was armed.
  void arm(Loop& loop, Time at, Callback callback, void* context);
  void disarm() noexcept;

  bool armed() const noexcept { return heap_ != nullptr; }

  /// When it fires; only while armed.
  Time at() const noexcept;

 private:
  friend class TimerHeap;
  TimerHeap* heap_ = nullptr;
  std::size_t index_ = 0;
  Callback callback_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace llmroute::net

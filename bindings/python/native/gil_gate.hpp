/// Where threads stand in line that have to have the GIL back.
///
/// All asking for it at once would be right too. But then each is woken for its answer, finds the
/// GIL taken, sleeps, and wakes up every 5 ms to ask CPython again: with 64 threads a call was put
/// aside four times instead of once. In a line a thread is woken when the one before it lets go of
/// the GIL for its next call.
///
/// That one may as well not make another, or do something else for long. So nobody waits longer
/// than `patience` for each of those before it; and when somebody has waited that long, for
/// `brief_turns` a turn ends as soon as its thread has the GIL.
#pragma once

#include <chrono>
#include <mutex>

namespace llmroute::python {

class GilGate {
 public:
  constexpr GilGate() = default;

  /// The process's. In a forked child nobody stands there.
  static GilGate& instance() noexcept;

  /// Waits for this thread's turn to ask for the GIL. Without the GIL.
  void enter() noexcept;

  /// This thread has got the GIL. Keeps its turn if others wait.
  void arrive() noexcept;

  /// This thread has let go of the GIL.
  void leave() noexcept;

  static constexpr std::chrono::milliseconds patience{1};
  static constexpr int brief_turns = 1000;

 private:
  struct Waiter;

  void pass_on(std::unique_lock<std::mutex>& lock) noexcept;
  void remove(Waiter& waiter) noexcept;

  std::mutex mutex_{};
  const void* turn_of_ = nullptr;  // what is thread-local has an address for each thread
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  int waiting_ = 0;
  int brief_left_ = 0;
};

}  // namespace llmroute::python

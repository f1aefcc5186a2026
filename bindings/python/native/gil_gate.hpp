/// Where threads stand in line that have to have the GIL back.
///
/// All asking for it at once would be right too. But then each is woken for its answer, finds the
/// GIL taken, sleeps, and wakes up every 5 ms to ask CPython again. In a line a thread is woken
/// when the one before it lets go of the GIL for its next call (docs/performance.md, Python).
///
/// That one may as well not make another, or do something else for long. So nobody waits longer
/// than `patience` for each of those before it when it came; and each time that somebody has waited
/// so long, for the next `brief_turns` a turn ends as soon as its thread has the GIL. Threads that
/// do much between their calls are so mostly as they would be without a line. Callbacks, which take
/// the GIL for an observer or a strategy, do not stand in it.
#pragma once

#include <chrono>
#include <mutex>

namespace llmroute::python {

class GilGate {
 public:
  constexpr GilGate() = default;

  /// The process's.
  static GilGate& instance() noexcept;

  /// In forked children nobody stands there. Once, when the module is loaded; throws
  /// std::bad_alloc.
  static void open_in_children();

  /// Waits for this thread's turn to ask for the GIL. Without the GIL.
  void enter() noexcept;

  /// This thread has got the GIL. Keeps its turn if others wait.
  void arrive() noexcept;

  /// This thread has let go of the GIL.
  void leave() noexcept;

  // Ten times what a call's Python takes, and a fifth of CPython's own wait; lost once in some
  // thousand calls.
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

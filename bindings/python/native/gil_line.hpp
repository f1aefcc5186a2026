/// The line in which threads whose answers have come wait for the GIL.
///
/// Each could ask for it at once. But of many all save one find it taken, sleep again, and wake up
/// every 5 ms to ask CPython once more. In the line a thread is woken when the one before it has
/// the GIL, so that one at most asks while one runs (docs/performance.md). The line settles who is
/// woken when, nothing else: whoever takes the GIL without standing in it does nothing wrong.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

namespace llmroute::python {

/// Where one thread sleeps till its answer has come and it is its turn.
class PlaceInLine {
 public:
  PlaceInLine() noexcept;
  PlaceInLine(const PlaceInLine&) = delete;
  PlaceInLine& operator=(const PlaceInLine&) = delete;
  ~PlaceInLine();

  enum class State { waits_for_answer, in_line, called, went_ahead };

  /// False: `most` is over or a signal came, and there is no answer yet. With an answer it is true
  /// even so: those before it take long, or hang, and it waits for the GIL like everybody else.
  bool wait(std::chrono::nanoseconds most) noexcept;

  State state() const noexcept { return state_; }

 private:
  friend class GilLine;

  sem_t woken_{};
  std::atomic<State> state_ = State::waits_for_answer;
  std::shared_ptr<PlaceInLine> behind_{};
};

class GilLine {
 public:
  constexpr GilLine() = default;

  /// The process's, as it has one GIL.
  static GilLine& instance() noexcept;

  /// In forked children nobody stands there. Once, when the module is loaded; throws
  /// std::bad_alloc.
  static void open_in_children();

  /// The answer has come. On any thread.
  void enter(std::shared_ptr<PlaceInLine> place) noexcept;

  /// The one that was called has the GIL: calls the next.
  void call_next() noexcept;

 private:
  std::mutex mutex_{};
  bool somebody_is_called_ = false;
  std::shared_ptr<PlaceInLine> first_{};
  PlaceInLine* last_ = nullptr;
};

}  // namespace llmroute::python

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

  /// False: `most` is over or a signal came, and there is no answer yet. Who has an answer and is
  /// not called for so long goes ahead, as those before it take long, or hang.
  bool wait(std::chrono::nanoseconds most) noexcept;

 private:
  friend class GilLine;
  enum class State { waits_for_answer, in_line, called, went_ahead };

  bool sleep(std::chrono::nanoseconds most) noexcept;

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

  /// Who has waited has the GIL: calls the next. So does who went ahead, or the line would stand
  /// still as long as the one it passed by.
  void call_next() noexcept;

 private:
  std::mutex mutex_{};
  bool somebody_is_called_ = false;
  std::shared_ptr<PlaceInLine> first_{};
  PlaceInLine* last_ = nullptr;
};

}  // namespace llmroute::python

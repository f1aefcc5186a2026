/// The native half of an asyncio call. Events queue here until a coroutine takes them; one that
/// finds none waits on a future.
#pragma once

#include <pybind11/pybind11.h>

#include <deque>
#include <llmroute/router.hpp>
#include <memory>
#include <optional>
#include <string>

#include "core.hpp"
#include "driver.hpp"

namespace llmroute::python {

/// On its driver's thread, with the GIL. The router's callbacks keep it alive until the call ends.
class AsyncCall : public std::enable_shared_from_this<AsyncCall> {
 public:
  enum class Kind { plain, stream };
  enum class Form { data, raw, parsed };

  AsyncCall(std::shared_ptr<Core> core, Driver& driver) : core_(std::move(core)), driver_(driver) {}
  AsyncCall(const AsyncCall&) = delete;
  AsyncCall& operator=(const AsyncCall&) = delete;

  void start(const Request& request, Kind kind);
  void cancel() { call_.cancel(); }

  /// Cancels the call unless it is over; what was not taken is dropped.
  void close();

  /// A future that is done when an event is there or the call is over.
  py::object wait();

  /// The next event; None at the proper end; Ellipsis when there is none yet. Raises what cut the
  /// stream short.
  py::object take(Form form);

  bool ended() const noexcept { return result_.has_value(); }

  /// Whether take() or reply() would not have to wait.
  bool ready() const noexcept { return ended() || !events_.empty(); }

  /// Raises the error of a call that has failed before its first event.
  void check_open() const;

  /// A whole answer, or what is known of a stream. Raises the error of a plain call that failed.
  Reply reply() const;
  const Reply& head() const noexcept { return head_; }

 private:
  /// An event's bytes, and where in them its data is: nearly always a part of them.
  struct Item {
    explicit Item(const Event& event);
    std::string_view data() const noexcept;

    std::string raw;
    std::string joined{};  // data of several lines
    std::size_t at = 0;
    std::size_t size = 0;
  };

  void on_head(const StreamHead& head);
  Taken on_event(const Event& event);
  void on_done(Result<Reply> result);
  void check_end() const;
  void wake();
  void drop_front();

  static constexpr std::size_t high = 64 * 1024;  // then the node is not read from
  static constexpr std::size_t low = high / 2;

  std::shared_ptr<Core> core_;
  Driver& driver_;
  Call call_{};
  std::deque<Item> events_{};
  std::size_t queued_ = 0;
  bool kept_ = false;
  bool closed_ = false;
  bool done_left_ = false;  // to be given to those who forward
  py::object future_{};
  Reply head_{};
  std::optional<Result<Reply>> result_{};
  py::object raised_{};  // by an observer
};

/// What Python holds: dropping it cancels the call.
class AsyncCallHandle {
 public:
  AsyncCallHandle(std::shared_ptr<Driver> driver, std::shared_ptr<AsyncCall> call)
      : driver_(std::move(driver)), call_(std::move(call)) {}
  AsyncCallHandle(AsyncCallHandle&&) = default;
  ~AsyncCallHandle();

  AsyncCall& get() const noexcept { return *call_; }
  py::object wait() const;

  static void bind(py::module_& module);

 private:
  std::shared_ptr<Driver> driver_;  // first: the call refers to it
  std::shared_ptr<AsyncCall> call_;
};

}  // namespace llmroute::python

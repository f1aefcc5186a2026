/// One native loop on one asyncio loop, which watches its descriptor: calls run with no thread of
/// their own.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/net/event_loop.hpp>
#include <memory>
#include <unordered_set>

namespace llmroute::python {

namespace py = pybind11;

class AsyncCall;

/// Owned by its DriverWatch and by the Python halves of its calls. On the asyncio loop's thread,
/// with the GIL.
class Driver : public std::enable_shared_from_this<Driver> {
 public:
  explicit Driver(const py::object& asyncio_loop);

  /// Every call has been cancelled by then, and ends here.
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Registers with the asyncio loop.
  void watch();

  bool belongs_to(py::handle asyncio_loop) const;
  py::object create_future() const;
  EventLoop& loop() noexcept { return loop_; }
  void run_ready() { loop_.run_ready(); }

  /// Of another process: only the destructor may be called.
  bool forked() const noexcept;

  void enter(AsyncCall& call) { calls_.insert(&call); }
  void leave(AsyncCall& call);

  /// No more calls come: leaves the asyncio loop once those under way have ended. Any thread.
  void retire();

  /// The same, and ends those under way. Any thread.
  void close();

  /// The asyncio loop watches no more: ends the calls under way here and now.
  void abandon();

 private:
  py::object asyncio_loop() const;
  void unwatch();

  py::object asyncio_loop_;  // a weak reference: the asyncio loop owns this
  int process_;
  EventLoop loop_{};
  std::unordered_set<AsyncCall*> calls_{};  // that have not ended
  bool watched_ = false;
  bool retired_ = false;
};

/// What the asyncio loop has of a driver. When it lets go, as it does when it is closed, nobody
/// turns the native loop any more; a task that waited on would be kept by a cycle through the call,
/// which the collector cannot see.
class DriverWatch {
 public:
  explicit DriverWatch(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
  ~DriverWatch() { driver_->abandon(); }
  DriverWatch(const DriverWatch&) = delete;
  DriverWatch& operator=(const DriverWatch&) = delete;

  static void bind(py::module_& module);

 private:
  std::shared_ptr<Driver> driver_;
};

}  // namespace llmroute::python

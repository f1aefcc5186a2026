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

/// Owned by the asyncio loop's registration and by the Python halves of its calls. On the asyncio
/// loop's thread, with the GIL.
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

  /// Of another process: only the destructor may be called.
  bool forked() const noexcept;

  void enter(AsyncCall& call) { calls_.insert(&call); }
  void leave(AsyncCall& call);

  /// No more calls come: leaves the asyncio loop once those under way have ended. Any thread.
  void retire();

  /// The same, and ends those under way. Any thread.
  void close();

  static void bind(py::module_& module);

 private:
  py::object asyncio_loop() const;
  void run_ready() { loop_.run_ready(); }
  void unwatch();

  py::object asyncio_loop_;  // a weak reference: the asyncio loop owns this
  int process_;
  EventLoop loop_{};
  std::unordered_set<AsyncCall*> calls_{};  // that have not ended
  bool watched_ = false;
  bool retired_ = false;
};

}  // namespace llmroute::python

/// What may end the wait of a blocking call beside its answer: a signal handler that raises, the
/// router's close(), or another thread's close() of the stream.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <memory>

#include "core.hpp"

namespace llmroute::python {

class Interrupt {
 public:
  explicit Interrupt(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  /// For CallOptions::interrupted. Without the GIL.
  bool asked();

  /// Ends the wait from another thread.
  void stop() noexcept { stopped_ = true; }

  /// The call has ended: raises what the signal handler raised.
  void raise_pending();

 private:
  std::shared_ptr<Core> core_;
  std::atomic<bool> stopped_{false};
  py::object raised_{};
};

}  // namespace llmroute::python

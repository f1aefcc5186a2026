#include "interrupt.hpp"

#include <unistd.h>

#include "failure.hpp"

namespace llmroute::python {

bool Interrupt::asked() {
  if (stopped_ || core_->closed) return true;
  if (gettid() != getpid()) return false;  // Python runs its signal handlers on the main thread
  const HoldGil gil;
  if (PyErr_CheckSignals() == 0) return false;
  py::error_already_set raised;
  raised_ = exception_of(raised);
  return true;
}

void Interrupt::raise_pending() {
  if (!raised_) return;
  const py::object exception = std::move(raised_);
  raise(exception);
}

}  // namespace llmroute::python

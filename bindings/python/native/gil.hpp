/// Letting go of the GIL and taking it back, also by threads that come too late: while the
/// interpreter ends.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <utility>

namespace llmroute::python {

namespace py = pybind11;

/// CPython before 3.14 ends a thread that asks for the GIL of a dying interpreter by pthread_exit,
/// which unwinds C++ frames that must not be unwound (noexcept, or owners of Python objects). Such
/// a thread stays where it is instead, as it does from 3.14 on; the process is about to end.
class StayIfUnwound {
 public:
  StayIfUnwound() = default;
  StayIfUnwound(const StayIfUnwound&) = delete;
  StayIfUnwound& operator=(const StayIfUnwound&) = delete;
  ~StayIfUnwound() {
    while (!passed_) pause();
  }
  void pass() noexcept { passed_ = true; }

 private:
  bool passed_ = false;
};

/// A frame of its own, so that an unwinding meets the guard before any noexcept function.
[[gnu::noinline]] inline void take_gil_back(PyThreadState* thread) {
  StayIfUnwound guard;
  PyEval_RestoreThread(thread);
  guard.pass();
}

[[gnu::noinline]] inline PyGILState_STATE take_gil() {
  StayIfUnwound guard;
  const PyGILState_STATE state = PyGILState_Ensure();
  guard.pass();
  return state;
}

/// Holds the GIL for a scope, on any thread.
class HoldGil {
 public:
  HoldGil() : state_(take_gil()) {}
  HoldGil(const HoldGil&) = delete;
  HoldGil& operator=(const HoldGil&) = delete;
  ~HoldGil() { PyGILState_Release(state_); }

 private:
  PyGILState_STATE state_;
};

/// `f()` with the GIL let go of, if this thread has it.
template <class F>
auto without_gil(F&& f) {
  struct Released {
    PyThreadState* thread = PyGILState_Check() != 0 ? PyEval_SaveThread() : nullptr;
    ~Released() {
      if (thread != nullptr) take_gil_back(thread);
    }
  };
  const Released released;
  return std::forward<F>(f)();
}

/// No Python code may be run from now on, save on the thread that ends the interpreter.
inline bool interpreter_ends() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

}  // namespace llmroute::python

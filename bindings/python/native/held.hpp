/// A Python object that C++ threads hold and the garbage collector may look at.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "gil.hpp"

namespace llmroute::python {

/// The one reference to the object that the whole C++ half has. Made and looked at with the GIL.
class Held {
 public:
  explicit Held(py::object object) : object_(std::move(object)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  /// From any thread; an interpreter that has ended is left alone.
  ~Held() {
    if (!object_) return;
    if (interpreter_ends()) {
      object_.release();
      return;
    }
    const HoldGil gil;
    clear();
  }

  /// Empty once cleared.
  const py::object& get() const noexcept { return object_; }

  /// The collector breaks a cycle here.
  void clear() noexcept { py::object(std::move(object_)); }

 private:
  py::object object_;
};

}  // namespace llmroute::python

/// llmroute::Error as the Python exception llmroute.Error.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/error.hpp>
#include <string>

namespace llmroute::python {

namespace py = pybind11;

/// Learns the exception classes. When the module is imported.
void init_failures();

/// The exception for an error; what a strategy in Python has thrown, where that ended the call.
py::object exception_of(const Error& error);

/// What was raised, with the frames that it came through.
py::object exception_of(const py::error_already_set& raised);

[[noreturn]] void raise(const py::object& exception);
[[noreturn]] void raise(const Error& error);
[[noreturn]] void raise(ErrorCode code, std::string message);

}  // namespace llmroute::python

/// What a router knows, as dicts.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/router.hpp>

namespace llmroute::python {

namespace py = pybind11;

py::dict dict_of(const Snapshot& snapshot);
py::dict dict_of(const Explanation& explanation);

}  // namespace llmroute::python

/// Python code run from here, also by threads that come too late. It may let go of the GIL anywhere
/// and ask for it back, and a thread that asks while the interpreter ends is unwound from in there
/// (StayIfUnwound): so nothing that owns a Python object may stand between its frames and the
/// guard. Not held to that: what runs on an asyncio loop's thread alone, and objects' destructors.
#pragma once

#include <pybind11/pybind11.h>

#include "gil.hpp"

namespace llmroute::python {

/// callable(*args, **kwargs). Throws what it raises.
py::object call(py::handle callable, const py::tuple& args = py::tuple(), py::handle kwargs = {});

/// object.name. Throws what it raises.
py::object attribute(py::handle object, const char* name);

/// list(iterable). Throws what it raises.
py::list list_of(py::handle iterable);

/// str(object). Throws what it raises.
py::str str_of(py::handle object);

/// object as an index; -1 with Python's error set.
py::ssize_t index_of(py::handle object);

/// The attribute; None where there is no such thing.
py::object attribute_or_none(py::handle object, const char* name);

}  // namespace llmroute::python

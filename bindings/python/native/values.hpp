/// C++ values as the Python objects callers read.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/error.hpp>
#include <llmroute/headers.hpp>
#include <llmroute/usage.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace llmroute::python {

namespace py = pybind11;

/// Learns the json module. When this module is imported.
void init_values();

/// Text from the wire: what is no UTF-8 is replaced.
py::str text(std::string_view bytes);
py::bytes bytes(std::string_view data);

/// Seconds, or None.
py::object optional_seconds(std::optional<Duration> time);

/// Header fields in order; values are Latin-1, as HTTP has it.
py::list headers(const Headers& fields);
py::dict usage(const Usage& usage);
py::list attempts(const std::vector<AttemptRecord>& records);

/// The name of a code, or None.
py::object code_name(std::optional<ErrorCode> code);

/// The value of JSON text, by the json module.
py::object parse_json(std::string_view json);

}  // namespace llmroute::python

/// Strategies and observers written in Python.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/core/strategy.hpp>
#include <llmroute/observer.hpp>
#include <memory>
#include <string>

#include "held.hpp"

namespace llmroute::python {

/// A strategy that calls `callable(nodes, request)`; what it raises ends the call.
std::shared_ptr<Strategy> python_strategy(std::shared_ptr<Held> callable);

/// An observer that calls those of on_attempt, on_call and on_node that the object has.
std::shared_ptr<Observer> python_observer(std::shared_ptr<Held> observer);

/// What an observer has raised about a call, for whoever waits for that call; empty mostly. Each
/// call's end asks. With the GIL.
py::object take_raised(const std::string& request_id);

/// Raises it, if there is one.
void raise_from_observer(const std::string& request_id);

void bind_callbacks(py::module_& module);

}  // namespace llmroute::python

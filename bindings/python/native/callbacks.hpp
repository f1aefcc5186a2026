/// Strategies and observers written in Python.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <llmroute/core/strategy.hpp>
#include <llmroute/observer.hpp>
#include <memory>
#include <string>

#include "held.hpp"

namespace llmroute::python {

/// What a strategy has raised, on its way through the router: py::error_already_set needs the GIL
/// wherever it is looked at or goes.
class StrategyRaised final : public std::exception {
 public:
  explicit StrategyRaised(py::object exception)
      : exception_(std::make_shared<Held>(std::move(exception))) {}
  const char* what() const noexcept override { return "the strategy raised an exception"; }

  /// With the GIL.
  const py::object& exception() const noexcept { return exception_->get(); }

 private:
  std::shared_ptr<Held> exception_;
};

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

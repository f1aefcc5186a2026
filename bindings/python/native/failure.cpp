#include "failure.hpp"

#include <llmroute/wire/error_body.hpp>

#include "callbacks.hpp"
#include "run_python.hpp"
#include "values.hpp"

namespace llmroute::python {

namespace {

// Never freed: exceptions may be raised while the interpreter ends.
PyObject* error_class = nullptr;
PyObject* config_error_class = nullptr;

/// What an OpenAI client should read: the node's own words where it refused the request.
std::string openai_body(const Error& error) {
  const bool refused = error.http_status >= 400 && error.http_status < 500;
  return refused && !error.body.empty() ? error.body : wire::error_json(error);
}

py::object what_python_threw(const Error& error) {
  if (!error.thrown) return {};
  try {
    std::rethrow_exception(error.thrown);
  } catch (const StrategyRaised& raised) {
    return raised.exception();
  } catch (...) {
    return {};
  }
}

}  // namespace

void init_failures() {
  const py::module_ module = py::module_::import("llmroute._error");
  error_class = py::object(module.attr("Error")).release().ptr();
  config_error_class = py::object(module.attr("ConfigError")).release().ptr();
}

py::object exception_of(const Error& error) {
  if (py::object thrown = what_python_threw(error)) return thrown;
  const py::handle type =
      error.code == ErrorCode::invalid_config ? config_error_class : error_class;
  using py::literals::operator""_a;
  const py::dict told("code"_a = code_name(error.code), "status"_a = error.client_status(),
                      "http_status"_a = error.http_status, "node"_a = text(error.node),
                      "attempts"_a = attempts(error.attempts),
                      "request_id"_a = text(error.request_id),
                      "retry_after"_a = optional_seconds(error.retry_after),
                      "partial"_a = text(error.partial), "param"_a = text(error.param),
                      "body"_a = bytes(error.body), "headers"_a = headers(error.headers),
                      "usage"_a = usage(error.usage), "openai_body"_a = bytes(openai_body(error)));
  return call(type, py::make_tuple(text(error.message)), told);
}

py::object exception_of(const py::error_already_set& raised) {
  py::object exception = raised.value();
  if (raised.trace()) PyException_SetTraceback(exception.ptr(), raised.trace().ptr());
  return exception;
}

void raise(const py::object& exception) {
  PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
  throw py::error_already_set();
}

void raise(const Error& error) { raise(exception_of(error)); }

void raise(ErrorCode code, std::string message) {
  raise(Error{.code = code, .message = std::move(message)});
}

}  // namespace llmroute::python

/// llmroute._native: the C++ router as Python types. The package around it adds what is easier to
/// say in Python.
#include <pybind11/pybind11.h>

#include <llmroute/version.hpp>

#include "async_call.hpp"
#include "callbacks.hpp"
#include "driver.hpp"
#include "failure.hpp"
#include "gil_line.hpp"
#include "model.hpp"
#include "pull_stream.hpp"
#include "reply.hpp"
#include "router.hpp"
#include "values.hpp"

PYBIND11_MODULE(_native, module) {
  using namespace llmroute::python;
  init_failures();
  init_values();
  GilLine::open_in_children();
  Model::bind(module);
  PyReply::bind(module);
  PullStream::bind(module);
  DriverWatch::bind(module);
  AsyncCallHandle::bind(module);
  bind_callbacks(module);
  PyRouter::bind(module);
  module.attr("__version__") = llmroute::version();
  py::module_::import("atexit").attr("register")(py::cpp_function(&close_all_routers));
}

/// llmroute.Reply: an answer whose Python objects are made when they are asked for.
#pragma once

#include <pybind11/pybind11.h>

#include <llmroute/router.hpp>

namespace llmroute::python {

namespace py = pybind11;

class PyReply {
 public:
  explicit PyReply(Reply reply) : reply_(std::move(reply)) {}

  const Reply& get() const noexcept { return reply_; }

  /// The body; made once, and given up by the C++ half.
  py::bytes content();
  py::object json();

  static void bind(py::module_& module);

 private:
  Reply reply_;
  py::object content_{};
};

}  // namespace llmroute::python

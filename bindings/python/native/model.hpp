/// llmroute._native.Model: the SDK's objects (pydantic models) of their JSON.
///
/// The SDK's constructor takes whatever comes, in interpreted code. This one takes what fits the
/// model's types exactly, which is nearly all there is, and builds the same object.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace llmroute::python {

namespace py = pybind11;

class Model {
 public:
  /// `fields`: (name, kind, default, required, nullable) for each, in the model's order. A kind is
  /// str, int, float, bool, a frozenset of the strings that are allowed, a list of the items' kind,
  /// a Model, a tuple of Models of which one fits at most, or None for what no value but null fits.
  /// Raises TypeError for others.
  Model(py::type cls, const py::list& fields);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  /// The object of JSON text; None where something does not fit, or is no JSON at all.
  py::object read(std::string_view json) const;

  static void bind(py::module_& module);

 private:
  class Kind;
  struct Field;
  class Reading;

  py::type class_;
  std::vector<Field> fields_;
  std::uint64_t required_ = 0;  // bits of fields
  py::dict defaults_{};
};

}  // namespace llmroute::python

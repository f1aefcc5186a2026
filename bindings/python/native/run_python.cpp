#include "run_python.hpp"

namespace llmroute::python {

namespace {

template <class F>
[[gnu::noinline]] PyObject* guarded(F f) {
  StayIfUnwound guard;
  PyObject* result = f();
  guard.pass();
  return result;
}

py::object owned(PyObject* result) {
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

}  // namespace

py::object call(py::handle callable, const py::tuple& args, py::handle kwargs) {
  return owned(guarded([&] { return PyObject_Call(callable.ptr(), args.ptr(), kwargs.ptr()); }));
}

py::object attribute(py::handle object, const char* name) {
  return owned(guarded([&] { return PyObject_GetAttrString(object.ptr(), name); }));
}

py::object attribute_or_none(py::handle object, const char* name) {
  PyObject* found = guarded([&] { return PyObject_GetAttrString(object.ptr(), name); });
  if (found != nullptr) return owned(found);
  if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) throw py::error_already_set();
  PyErr_Clear();
  return py::none();
}

}  // namespace llmroute::python

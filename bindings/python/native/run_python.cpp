#include "run_python.hpp"

namespace llmroute::python {

namespace {

template <class F>
[[gnu::noinline]] auto guarded(F f) {
  StayIfUnwound guard;
  const auto result = f();
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

py::list list_of(py::handle iterable) {
  return py::list(owned(guarded([&] { return PySequence_List(iterable.ptr()); })));
}

py::str str_of(py::handle object) {
  return py::str(owned(guarded([&] { return PyObject_Str(object.ptr()); })));
}

py::ssize_t index_of(py::handle object) {
  return guarded([&] { return PyNumber_AsSsize_t(object.ptr(), PyExc_IndexError); });
}

py::object attribute_or_none(py::handle object, const char* name) {
  PyObject* found = guarded([&] { return PyObject_GetAttrString(object.ptr(), name); });
  if (found != nullptr) return owned(found);
  if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) throw py::error_already_set();
  PyErr_Clear();
  return py::none();
}

}  // namespace llmroute::python

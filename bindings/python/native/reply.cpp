#include "reply.hpp"

#include "values.hpp"

namespace llmroute::python {

py::bytes PyReply::content() {
  if (!content_) {
    content_ = bytes(reply_.body);
    reply_.body = {};
  }
  return py::reinterpret_borrow<py::bytes>(content_);
}

py::object PyReply::json() {
  const py::bytes body = content();
  return parse_json({PyBytes_AS_STRING(body.ptr()), PyBytes_GET_SIZE(body.ptr())});
}

void PyReply::bind(py::module_& module) {
  py::class_<PyReply>(module, "Reply")
      .def_property_readonly("status", [](const PyReply& r) { return r.get().http_status; })
      .def_property_readonly("headers", [](const PyReply& r) { return headers(r.get().headers); })
      .def_property_readonly("content", &PyReply::content)
      .def("json", &PyReply::json)
      .def_property_readonly("node", [](const PyReply& r) { return text(r.get().node); })
      .def_property_readonly("model", [](const PyReply& r) { return text(r.get().model); })
      .def_property_readonly("request_id",
                             [](const PyReply& r) { return text(r.get().request_id); })
      .def_property_readonly("attempts",
                             [](const PyReply& r) { return attempts(r.get().attempts); })
      .def_property_readonly("usage", [](const PyReply& r) { return usage(r.get().usage); })
      .def_property_readonly("time", [](const PyReply& r) { return seconds(r.get().time); })
      .def_property_readonly(
          "first_content", [](const PyReply& r) { return optional_seconds(r.get().first_content); })
      .def("__repr__", [](const PyReply& r) {
        return py::str("<llmroute.Reply {} from {}>").format(r.get().http_status, r.get().node);
      });
}

}  // namespace llmroute::python

/// The arguments that every form of a call takes, as a Request.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <llmroute/router.hpp>
#include <optional>
#include <string_view>

namespace llmroute::python {

namespace py = pybind11;

/// Views point into the Python objects, which the caller keeps.
class Arguments {
 public:
  Arguments(std::string_view path, const py::object& body, std::string_view method,
            const py::object& headers, std::optional<double> deadline,
            std::optional<int> max_retries, std::optional<std::string_view> tenant, int priority,
            std::optional<std::string_view> session_key, std::optional<std::string_view> request_id,
            std::optional<std::string_view> resume, std::optional<std::string_view> model);

  Request request{};
};

/// Gives `f(self, Arguments)` the signature callers see.
template <class Class, class F>
void def_call(Class& type, const char* name, F f) {
  using Self = typename Class::type;
  using Text = std::optional<std::string_view>;
  type.def(
      name,
      [f](Self& self, std::string_view path, const py::object& body, std::string_view method,
          const py::object& headers, std::optional<double> deadline, std::optional<int> max_retries,
          Text tenant, int priority, Text session_key, Text request_id, Text resume, Text model) {
        return f(self, Arguments(path, body, method, headers, deadline, max_retries, tenant,
                                 priority, session_key, request_id, resume, model));
      },
      py::arg("path"), py::arg("body"), py::kw_only(), py::arg("method") = "POST",
      py::arg("headers") = py::none(), py::arg("deadline") = py::none(),
      py::arg("max_retries") = py::none(), py::arg("tenant") = py::none(), py::arg("priority") = 0,
      py::arg("session_key") = py::none(), py::arg("request_id") = py::none(),
      py::arg("resume") = py::none(), py::arg("model") = py::none());
}

/// The bytes of a bytes object or the UTF-8 of a str; valid as long as it.
std::string_view view_of(const py::object& body);

}  // namespace llmroute::python

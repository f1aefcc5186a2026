#include "arguments.hpp"

#include <cmath>
#include <string>

#include "failure.hpp"
#include "run_python.hpp"

namespace llmroute::python {

namespace {

[[noreturn]] void refuse(const char* param, std::string message) {
  raise(Error{.code = ErrorCode::invalid_argument, .message = std::move(message), .param = param});
}

std::string string_of(py::handle value) {
  if (PyBytes_Check(value.ptr()) != 0) return value.cast<std::string>();
  return str_of(value).cast<std::string>();
}

/// Pairs, or a mapping.
Headers headers_of(const py::object& given) {
  Headers fields;
  if (given.is_none()) return fields;
  const py::object items = attribute_or_none(given, "items");
  const py::object pairs = items.is_none() ? given : call(items);
  for (const py::handle pair : list_of(pairs)) {
    const py::list field = list_of(pair);
    if (field.size() != 2) refuse("headers", "headers: each is a pair of name and value");
    fields.add(string_of(field[0]), string_of(field[1]));
  }
  return fields;
}

Duration duration_of(double seconds) {
  if (!(seconds > 0) || !std::isfinite(seconds)) {
    refuse("deadline", "deadline: a number of seconds above 0");
  }
  constexpr double most = 1e9;  // thirty years
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(seconds, most)));
}

HttpMethod method_of(std::string_view name) {
  const std::optional<HttpMethod> method = http_method(name);
  if (!method) refuse("method", "method: POST, GET, HEAD, PUT, PATCH or DELETE");
  return *method;
}

Resume resume_of(std::string_view name) {
  if (name == "off") return Resume::off;
  if (name == "safe") return Resume::safe;
  if (name == "best_effort") return Resume::best_effort;
  refuse("resume", R"(resume: "off", "safe" or "best_effort")");
}

}  // namespace

std::string_view view_of(const py::object& body) {
  if (PyBytes_Check(body.ptr()) != 0) {
    return {PyBytes_AS_STRING(body.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(body.ptr()))};
  }
  if (PyUnicode_Check(body.ptr()) == 0) refuse("body", "body: bytes or str");
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(body.ptr(), &size);
  if (utf8 == nullptr) throw py::error_already_set();
  return {utf8, static_cast<std::size_t>(size)};
}

Arguments::Arguments(std::string_view path, const py::object& body, std::string_view method,
                     const py::object& headers, std::optional<double> deadline,
                     std::optional<int> max_retries, std::optional<std::string_view> tenant,
                     int priority, std::optional<std::string_view> session_key,
                     std::optional<std::string_view> request_id,
                     std::optional<std::string_view> resume,
                     std::optional<std::string_view> model) {
  request.method = method_of(method);
  request.path = path;
  request.body = view_of(body);
  request.headers = headers_of(headers);
  CallOptions& options = request.options;
  if (deadline) options.deadline = duration_of(*deadline);
  options.max_retries = max_retries;
  options.tenant = tenant.value_or("");
  options.priority = priority;
  options.session_key = session_key.value_or("");
  options.request_id = request_id.value_or("");
  options.model = model.value_or("");
  if (resume) options.resume = resume_of(*resume);
}

}  // namespace llmroute::python

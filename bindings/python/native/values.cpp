#include "values.hpp"

#include "run_python.hpp"

namespace llmroute::python {

namespace {

py::object latin1(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeLatin1(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(decoded);
}

// The C half of json.loads and, for what it does not take, json.loads itself. Never freed: the
// interpreter outlives the module.
PyObject* scan_json = nullptr;
PyObject* load_json = nullptr;

}  // namespace

void init_values() {
  const py::module_ json = py::module_::import("json");
  scan_json = py::object(json.attr("JSONDecoder")().attr("scan_once")).release().ptr();
  load_json = py::object(json.attr("loads")).release().ptr();
}

py::str text(std::string_view bytes) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

py::bytes bytes(std::string_view data) { return {data.data(), data.size()}; }

py::object optional_seconds(std::optional<Duration> time) {
  if (!time) return py::none();
  return py::float_(seconds(*time));
}

py::list headers(const Headers& fields) {
  py::list out(fields.size());
  std::size_t at = 0;
  for (const Header& field : fields) {
    out[at++] = py::make_tuple(latin1(field.name), latin1(field.value));
  }
  return out;
}

py::dict usage(const Usage& usage) {
  py::dict out;
  out["prompt_tokens"] = usage.prompt_tokens;
  out["completion_tokens"] = usage.completion_tokens;
  out["total_tokens"] = usage.total_tokens;
  out["cached_tokens"] = usage.cached_tokens;
  return out;
}

py::list attempts(const std::vector<AttemptRecord>& records) {
  py::list out;
  for (const AttemptRecord& record : records) {
    py::dict attempt;
    attempt["node"] = text(record.node);
    attempt["error"] = code_name(record.error);
    attempt["http_status"] = record.http_status;
    attempt["reason"] = text(record.reason);
    attempt["time"] = seconds(record.time);
    attempt["rung"] = text(name(record.rung));
    attempt["usage"] = usage(record.usage);
    attempt["key"] = record.key;
    out.append(std::move(attempt));
  }
  return out;
}

py::object code_name(std::optional<ErrorCode> code) {
  if (!code) return py::none();
  return text(traits(*code).name);
}

/// json.loads spends more on finding out what it was given than on parsing a chunk.
py::object parse_json(std::string_view json) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(json.data(), static_cast<Py_ssize_t>(json.size()), "surrogatepass");
  if (decoded == nullptr) throw py::error_already_set();
  const auto whole = py::reinterpret_steal<py::str>(decoded);
  if (!json.empty() && json.front() == '{') {
    const py::object scanned =
        py::reinterpret_steal<py::object>(PyObject_CallFunction(scan_json, "Oi", whole.ptr(), 0));
    if (scanned) {
      const py::handle end = PyTuple_GET_ITEM(scanned.ptr(), 1);
      if (PyLong_AsSsize_t(end.ptr()) == PyUnicode_GET_LENGTH(whole.ptr())) {
        return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(scanned.ptr(), 0));
      }
    } else {
      PyErr_Clear();  // json.loads says it better
    }
  }
  return call(load_json, py::make_tuple(whole));
}

}  // namespace llmroute::python

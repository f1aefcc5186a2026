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

/// The C half of json.loads and, for what it does not take, json.loads itself. Never freed: the
/// interpreter outlives the module.
struct Json {
  PyObject* scan;
  PyObject* loads;

  /// Found at the first use, with the GIL. Python code that runs here may let go of it, so another
  /// thread may do the same work: harmless, where waiting for the first would be a deadlock.
  static const Json& get() {
    static constinit Json json{nullptr, nullptr};
    if (json.loads == nullptr) {
      const py::module_ module = py::module_::import("json");
      const py::object scan = module.attr("JSONDecoder")().attr("scan_once");
      const py::object loads = module.attr("loads");
      json = {scan.inc_ref().ptr(), loads.inc_ref().ptr()};
    }
    return json;
  }
};

}  // namespace

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
  const Json& module = Json::get();
  PyObject* decoded =
      PyUnicode_DecodeUTF8(json.data(), static_cast<Py_ssize_t>(json.size()), "surrogatepass");
  if (decoded == nullptr) throw py::error_already_set();
  const auto whole = py::reinterpret_steal<py::str>(decoded);
  if (!json.empty() && json.front() == '{') {
    const py::object scanned =
        py::reinterpret_steal<py::object>(PyObject_CallFunction(module.scan, "Oi", whole.ptr(), 0));
    if (scanned) {
      const py::handle end = PyTuple_GET_ITEM(scanned.ptr(), 1);
      if (PyLong_AsSsize_t(end.ptr()) == PyUnicode_GET_LENGTH(whole.ptr())) {
        return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(scanned.ptr(), 0));
      }
    } else {
      PyErr_Clear();  // json.loads says it better
    }
  }
  return call(module.loads, py::make_tuple(whole));
}

}  // namespace llmroute::python

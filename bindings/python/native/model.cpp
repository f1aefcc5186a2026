#include "model.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace llmroute::python {

namespace {

namespace dom = simdjson::dom;

py::object stolen(PyObject* object) { return py::reinterpret_steal<py::object>(object); }
py::object borrowed(py::handle object) { return py::reinterpret_borrow<py::object>(object); }

py::object text_of(std::string_view utf8) {
  return stolen(PyUnicode_FromStringAndSize(utf8.data(), static_cast<Py_ssize_t>(utf8.size())));
}

bool put(const py::object& dict, const py::object& key, const py::object& value) {
  return key && value && PyDict_SetItem(dict.ptr(), key.ptr(), value.ptr()) == 0;
}

py::object any(dom::element value);

/// `make(item)` of each; null where one is null.
template <class F>
py::object list_of(dom::array items, F&& make) {
  py::object list = stolen(PyList_New(0));
  for (const dom::element item : items) {
    const py::object made = list ? make(item) : py::object();
    if (!made || PyList_Append(list.ptr(), made.ptr()) != 0) return {};
  }
  return list;
}

py::object dict_of(dom::object members) {
  py::object dict = stolen(PyDict_New());
  for (const auto& [key, value] : members) {
    if (!dict || !put(dict, text_of(key), any(value))) return {};
  }
  return dict;
}

/// As json.loads has it; null with Python's error set.
py::object any(dom::element value) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return py::none();
    case dom::element_type::BOOL:
      return py::bool_(bool(value));
    case dom::element_type::INT64:
      return stolen(PyLong_FromLongLong(std::int64_t(value)));
    case dom::element_type::UINT64:
      return stolen(PyLong_FromUnsignedLongLong(std::uint64_t(value)));
    case dom::element_type::DOUBLE:
      return stolen(PyFloat_FromDouble(double(value)));
    case dom::element_type::STRING:
      return text_of(std::string_view(value));
    case dom::element_type::ARRAY:
      return list_of(dom::array(value), any);
    case dom::element_type::OBJECT:
      return dict_of(dom::object(value));
  }
  return {};
}

/// A float, or an integer that is one exactly.
py::object number(dom::element value) {
  constexpr std::int64_t all_exact = std::int64_t{1} << 53;
  if (value.type() == dom::element_type::DOUBLE) return stolen(PyFloat_FromDouble(double(value)));
  if (!value.is_int64()) return {};
  const std::int64_t whole{value};
  if (whole > all_exact || whole < -all_exact) return {};
  return stolen(PyFloat_FromDouble(static_cast<double>(whole)));
}

/// Where pydantic's models keep what they know of themselves. Never freed: the interpreter outlives
/// the module.
struct Slots {
  explicit Slots(const py::object& base)
      : fields_set(slot(base, "__pydantic_fields_set__")),
        extra(slot(base, "__pydantic_extra__")),
        own(slot(base, "__pydantic_private__")) {}

  static PyObject* slot(const py::object& base, const char* name) {
    return py::object(base.attr("__dict__")[name]).release().ptr();
  }
  static bool set(PyObject* slot, const py::object& of, py::handle value) {
    return Py_TYPE(slot)->tp_descr_set(slot, of.ptr(), value.ptr()) == 0;
  }

  PyObject* fields_set;
  PyObject* extra;
  PyObject* own;
  PyObject* no_arguments = py::tuple().release().ptr();
};

/// With the GIL. Known from the first model on.
std::optional<Slots>& slots() {
  static constinit std::optional<Slots> kept;
  return kept;
}

/// The collector may run anybody's Python code, which may let go of the GIL and never come back
/// (run_python.hpp): it waits while there are C++ frames that own Python objects.
class NoCollection {
 public:
  NoCollection() = default;
  NoCollection(const NoCollection&) = delete;
  NoCollection& operator=(const NoCollection&) = delete;
#ifndef Py_GIL_DISABLED
  ~NoCollection() {
    if (was_on_ != 0) PyGC_Enable();
  }

 private:
  int was_on_ = PyGC_Disable();
#endif
};

std::unique_ptr<dom::parser>& threads_parser() {
  thread_local std::unique_ptr<dom::parser> kept;
  return kept;
}

constexpr std::size_t most_kept = 1 << 16;  // the memory for a larger text would stay with a thread
constexpr std::size_t deepest = 256;        // stays clear of the end of the stack

/// What the SDK's constructor does with the values that a model has no fields for. What may be null
/// is a union to it, and unions it has validated, which counts them among the fields that were set.
enum class Extras { are_apart, count_as_set };

}  // namespace

class Model::Kind {
 public:
  explicit Kind(const py::object& said) {
    if (said.is_none()) return;
    if (py::isinstance<py::list>(said)) {
      form_ = Form::list;
      item_ = std::make_shared<const Kind>(py::object(py::list(said)[0]));
    } else if (py::isinstance<Model>(said)) {
      form_ = Form::model;
      models_.push_back(said.cast<std::shared_ptr<const Model>>());
    } else if (py::isinstance<py::frozenset>(said)) {
      form_ = Form::one_of;
      for (const py::handle& text : said) allowed_.emplace_back(py::str(text), borrowed(text));
    } else if (py::isinstance<py::tuple>(said)) {
      form_ = Form::one_model_of;
      for (const py::handle& model : said) {
        models_.push_back(model.cast<std::shared_ptr<const Model>>());
      }
    } else if (said.is(py::type::of(py::str()))) {
      form_ = Form::text;
    } else if (said.is(py::type::of(py::int_()))) {
      form_ = Form::integer;
    } else if (said.is(py::type::of(py::float_()))) {
      form_ = Form::number;
    } else if (said.is(py::type::of(py::bool_()))) {
      form_ = Form::boolean;
    } else {
      throw py::type_error("not a kind of value: " + std::string(py::repr(said)));
    }
  }

  /// The value as the model has it; null where it does not fit.
  py::object fit(dom::element value, Extras extras) const;

 private:
  enum class Form { nothing, text, integer, number, boolean, one_of, list, model, one_model_of };

  py::object fit_one_of(dom::element value) const {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return {};
    const auto found = std::ranges::find(
        allowed_, text, [](const auto& one) -> std::string_view { return one.first; });
    return found == allowed_.end() ? py::object() : found->second;
  }

  Form form_ = Form::nothing;
  std::vector<std::pair<std::string, py::object>> allowed_{};
  std::shared_ptr<const Kind> item_{};
  std::vector<std::shared_ptr<const Model>> models_{};
};

struct Model::Field {
  std::string utf8;
  py::object name;
  Kind kind;
  py::object standard;
  bool nullable;
  std::uint64_t bit;
};

/// One object of a model's, while its JSON is gone through.
class Model::Reading {
 public:
  Reading(const Model& model, Extras extras)
      : model_(model),
        extras_(extras),
        fields_(stolen(PyDict_Copy(model.defaults_.ptr()))),
        set_(stolen(PySet_New(nullptr))),
        extra_(stolen(PyDict_New())) {}

  py::object read(dom::element value) {
    dom::object members;
    if (!fields_ || !set_ || !extra_ || value.get(members) != simdjson::SUCCESS) return {};
    for (const auto& [key, member] : members) {
      const Field* field = find(key);
      if (!(field != nullptr ? take(*field, member) : take_extra(key, member))) return {};
    }
    return (model_.required_ & ~seen_) == 0 ? instance() : py::object();
  }

 private:
  /// The fields mostly come in the model's order.
  const Field* find(std::string_view key) {
    const std::vector<Field>& fields = model_.fields_;
    for (std::size_t tried = 0; tried < fields.size(); ++tried) {
      const Field& field = fields[next_];
      next_ = next_ + 1 == fields.size() ? 0 : next_ + 1;
      if (field.utf8 == key) return &field;
    }
    return nullptr;
  }

  bool take(const Field& field, dom::element value) {
    seen_ |= field.bit;
    if (PySet_Add(set_.ptr(), field.name.ptr()) != 0) return false;
    if (value.is_null()) {
      return field.nullable && field.standard.is_none() && put(fields_, field.name, field.standard);
    }
    return put(fields_, field.name,
               field.kind.fit(value, field.nullable ? Extras::count_as_set : extras_));
  }

  bool take_extra(std::string_view key, dom::element value) {
    if (key.starts_with('_')) return false;  // the SDK's constructor has parameters of such names
    const py::object name = text_of(key);
    if (!put(extra_, name, any(value))) return false;
    return extras_ == Extras::are_apart || PySet_Add(set_.ptr(), name.ptr()) == 0;
  }

  py::object instance() const {
    const Slots& slots = *python::slots();
    auto* const type = reinterpret_cast<PyTypeObject*>(model_.class_.ptr());
    py::object made = stolen(type->tp_new(type, slots.no_arguments, nullptr));
    const bool whole = made && PyObject_GenericSetDict(made.ptr(), fields_.ptr(), nullptr) == 0 &&
                       Slots::set(slots.fields_set, made, set_) &&
                       Slots::set(slots.extra, made, extra_) &&
                       Slots::set(slots.own, made, py::none());
    return whole ? made : py::object();
  }

  const Model& model_;
  Extras extras_;
  py::object fields_;
  py::object set_;
  py::object extra_;
  std::size_t next_ = 0;
  std::uint64_t seen_ = 0;  // bits of fields
};

py::object Model::Kind::fit(dom::element value, Extras extras) const {
  switch (form_) {
    case Form::text:
      return value.is_string() ? any(value) : py::object();
    case Form::integer:
      return value.is_int64() ? any(value) : py::object();
    case Form::number:
      return number(value);
    case Form::boolean:
      return value.is_bool() ? any(value) : py::object();
    case Form::one_of:
      return fit_one_of(value);
    case Form::list:
      if (!value.is_array()) return {};
      return list_of(dom::array(value),
                     [&](dom::element item) { return item_->fit(item, extras); });
    case Form::model:
      return Reading(*models_.front(), extras).read(value);
    case Form::one_model_of:
      for (const std::shared_ptr<const Model>& model : models_) {
        py::object made = Reading(*model, Extras::count_as_set).read(value);
        if (made || PyErr_Occurred() != nullptr) return made;
      }
      return {};
    case Form::nothing:
      break;
  }
  return {};
}

Model::Model(py::type cls, const py::list& fields) : class_(std::move(cls)) {
  if (!slots()) slots().emplace(py::module_::import("pydantic").attr("BaseModel"));
  for (const py::handle& said : fields) {
    const auto [name, kind, standard, required, nullable] =
        said.cast<std::tuple<std::string, py::object, py::object, bool, bool>>();
    const py::object interned = stolen(PyUnicode_InternFromString(name.c_str()));
    if (!put(defaults_, interned, standard)) throw py::error_already_set();
    if (fields_.size() == 64) throw py::type_error("a model of more than 64 fields");
    const std::uint64_t bit = std::uint64_t{1} << fields_.size();
    if (required) required_ |= bit;
    fields_.push_back({name, interned, Kind(kind), standard, nullable, bit});
  }
}

Model::~Model() = default;

py::object Model::read(std::string_view json) const {
  const NoCollection guard;
  std::unique_ptr<dom::parser> parser = std::move(threads_parser());
  if (!parser) {
    parser = std::make_unique<dom::parser>();
    if (parser->allocate(most_kept, deepest) != simdjson::SUCCESS) return py::none();
  }
  dom::element value;
  if (parser->parse(json.data(), json.size()).get(value) != simdjson::SUCCESS) return py::none();
  py::object made = Reading(*this, Extras::are_apart).read(value);
  if (json.size() <= most_kept) threads_parser() = std::move(parser);
  if (made) return made;
  PyErr_Clear();  // no memory, say: whoever builds it instead will find that too
  return py::none();
}

void Model::bind(py::module_& module) {
  py::class_<Model, std::shared_ptr<Model>>(module, "Model")
      .def(py::init<py::type, const py::list&>())
      .def("read", [](const Model& model, const py::bytes& json) { return model.read(json); });
}

}  // namespace llmroute::python

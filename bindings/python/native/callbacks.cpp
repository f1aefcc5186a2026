#include "callbacks.hpp"

#include <pybind11/stl.h>

#include <unordered_map>

#include "failure.hpp"
#include "run_python.hpp"
#include "values.hpp"

namespace llmroute::python {

namespace {

/// What Python sees of a node: a copy, which may be kept.
struct NodeCopy {
  std::string name;
  double weight;
  double capacity;
  int priority;
  int in_flight;
};

struct RequestCopy {
  std::string model;
  std::string session_key;
  std::uint32_t prompt_tokens;
  std::uint32_t output_tokens;
  bool stream;
};

/// The events with their texts beside them, for their views end with the callback.
struct AttemptCopy {
  explicit AttemptCopy(const AttemptEvent& e)
      : event(e), request_id(e.request_id), model(e.model), node(e.node), reason(e.reason) {}
  AttemptEvent event;
  std::string request_id, model, node, reason;
};

struct CallCopy {
  explicit CallCopy(const CallEvent& e)
      : event(e), request_id(e.request_id), model(e.model), tenant(e.tenant), node(e.node) {}
  CallEvent event;
  std::string request_id, model, tenant, node;
};

struct ChangeCopy {
  std::string kind;
  std::string node;
  std::string model;
};

const char* name_of(NodeEvent::Kind kind) noexcept {
  switch (kind) {
    case NodeEvent::Kind::healthy:
      return "healthy";
    case NodeEvent::Kind::unhealthy:
      return "unhealthy";
    case NodeEvent::Kind::breaker_opened:
      return "breaker_opened";
    case NodeEvent::Kind::breaker_half_open:
      return "breaker_half_open";
    case NodeEvent::Kind::breaker_closed:
      return "breaker_closed";
  }
  return "";
}

py::list copies_of(std::span<const NodeView> nodes) {
  py::list copies(nodes.size());
  std::size_t at = 0;
  for (const NodeView& node : nodes) {
    copies[at++] = NodeCopy{std::string(node.name()), node.weight(), node.capacity(),
                            node.priority(), node.in_flight()};
  }
  return copies;
}

RequestCopy copy_of(const PickRequest& request) {
  return {std::string(request.model), std::string(request.session_key), request.prompt_tokens,
          request.output_tokens, request.stream};
}

class PyStrategy final : public Strategy {
 public:
  explicit PyStrategy(std::shared_ptr<Held> callable) : callable_(std::move(callable)) {}

  NodeIndex pick(std::span<const NodeView> nodes, const PickRequest& request,
                 PickContext&) override {
    if (interpreter_ends()) return NodeIndex{0};
    const HoldGil gil;
    try {
      return picked_by_python(nodes, request);
    } catch (const py::error_already_set& raised) {
      throw StrategyRaised(exception_of(raised));
    }
  }

 private:
  NodeIndex picked_by_python(std::span<const NodeView> nodes, const PickRequest& request) const {
    const py::object callable = callable_->get();
    if (!callable) return NodeIndex{0};
    const py::object picked = call(callable, py::make_tuple(copies_of(nodes), copy_of(request)));
    const py::ssize_t index = index_of(picked);
    if (index == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (index < 0 || index >= static_cast<py::ssize_t>(nodes.size())) {
      PyErr_Format(PyExc_IndexError, "the strategy picked node %zd of %zu", index, nodes.size());
      throw py::error_already_set();
    }
    return NodeIndex{static_cast<std::uint32_t>(index)};
  }

  std::shared_ptr<Held> callable_;
};

/// With the GIL. Never freed, as calls may end late.
std::unordered_map<std::string, py::object>& raised() {
  static auto* const by_request = new std::unordered_map<std::string, py::object>;
  return *by_request;
}

class PyObserver final : public Observer {
 public:
  explicit PyObserver(std::shared_ptr<Held> observer) : observer_(std::move(observer)) {}

  void on_attempt(const AttemptEvent& event) override {
    tell("on_attempt", event.request_id, [&] { return py::cast(AttemptCopy(event)); });
  }
  void on_call(const CallEvent& event) override {
    tell("on_call", event.request_id, [&] { return py::cast(CallCopy(event)); });
  }
  void on_node(const NodeEvent& event) override {
    tell("on_node", {}, [&] {
      return py::cast(
          ChangeCopy{name_of(event.kind), std::string(event.node), std::string(event.model)});
    });
  }

 private:
  /// What is raised waits for the end of the call it is about, and without one is printed.
  template <class F>
  void tell(const char* method, std::string_view request_id, F make_event) const {
    if (interpreter_ends()) return;
    const HoldGil gil;
    const py::object observer = observer_->get();
    if (!observer) return;
    try {
      const py::object told = attribute_or_none(observer, method);
      if (!told.is_none()) call(told, py::make_tuple(make_event()));
    } catch (py::error_already_set& error) {
      if (request_id.empty()) return error.discard_as_unraisable(method);
      raised().emplace(request_id, exception_of(error));
    }
  }

  std::shared_ptr<Held> observer_;
};

}  // namespace

std::shared_ptr<Strategy> python_strategy(std::shared_ptr<Held> callable) {
  return std::make_shared<PyStrategy>(std::move(callable));
}

std::shared_ptr<Observer> python_observer(std::shared_ptr<Held> observer) {
  return std::make_shared<PyObserver>(std::move(observer));
}

py::object take_raised(const std::string& request_id) {
  if (raised().empty()) return {};
  const auto found = raised().extract(request_id);
  return found.empty() ? py::object() : found.mapped();
}

void raise_from_observer(const std::string& request_id) {
  if (const py::object exception = take_raised(request_id)) raise(exception);
}

namespace {

void bind_strategy_types(py::module_& module) {
  py::class_<NodeCopy>(module, "NodeView")
      .def_readonly("name", &NodeCopy::name)
      .def_readonly("weight", &NodeCopy::weight)
      .def_readonly("capacity", &NodeCopy::capacity)
      .def_readonly("priority", &NodeCopy::priority)
      .def_readonly("in_flight", &NodeCopy::in_flight);
  py::class_<RequestCopy>(module, "PickRequest")
      .def_readonly("model", &RequestCopy::model)
      .def_readonly("session_key", &RequestCopy::session_key)
      .def_readonly("prompt_tokens", &RequestCopy::prompt_tokens)
      .def_readonly("output_tokens", &RequestCopy::output_tokens)
      .def_readonly("stream", &RequestCopy::stream);
}

/// What attempts and calls have in common.
template <class Copy>
py::class_<Copy> bind_event(py::module_& module, const char* name) {
  return py::class_<Copy>(module, name)
      .def_readonly("request_id", &Copy::request_id)
      .def_readonly("model", &Copy::model)
      .def_readonly("node", &Copy::node)
      .def_property_readonly("error", [](const Copy& c) { return code_name(c.event.error); })
      .def_property_readonly("http_status", [](const Copy& c) { return c.event.http_status; })
      .def_property_readonly("time", [](const Copy& c) { return seconds(c.event.time); })
      .def_property_readonly("first_content",
                             [](const Copy& c) { return optional_seconds(c.event.first_content); });
}

void bind_observer_types(py::module_& module) {
  bind_event<AttemptCopy>(module, "AttemptEvent")
      .def_property_readonly("number", [](const AttemptCopy& c) { return c.event.number; })
      .def_readonly("reason", &AttemptCopy::reason)
      .def_property_readonly("rung", [](const AttemptCopy& c) { return name(c.event.rung); })
      .def_property_readonly("key", [](const AttemptCopy& c) { return c.event.key; });
  bind_event<CallCopy>(module, "CallEvent")
      .def_readonly("tenant", &CallCopy::tenant)
      .def_property_readonly("stream", [](const CallCopy& c) { return c.event.stream; })
      .def_property_readonly("attempts", [](const CallCopy& c) { return c.event.attempts; })
      .def_property_readonly("usage", [](const CallCopy& c) { return usage(c.event.usage); });
  py::class_<ChangeCopy>(module, "NodeEvent")
      .def_readonly("kind", &ChangeCopy::kind)
      .def_readonly("node", &ChangeCopy::node)
      .def_readonly("model", &ChangeCopy::model);
}

}  // namespace

void bind_callbacks(py::module_& module) {
  bind_strategy_types(module);
  bind_observer_types(module);
}

}  // namespace llmroute::python

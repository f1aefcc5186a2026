#include "router.hpp"

#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/request_view.hpp>
#include <unordered_set>

#include "callbacks.hpp"
#include "failure.hpp"
#include "inspection.hpp"
#include "values.hpp"
#include "wait_for_reply.hpp"

namespace llmroute::python {

namespace {

/// With the GIL. Never freed: routers may go after the module.
std::unordered_set<PyRouter*>& live_routers() {
  static auto* const routers = new std::unordered_set<PyRouter*>;
  return *routers;
}

Config config_from(std::string_view json, std::string_view source) {
  Result<Config> config = Config::from_json(json, source);
  if (!config) raise(config.error());
  return std::move(*config);
}

NodeConfig node_from(std::string_view json) {
  Result<NodeConfig> node = node_from_json(json);
  if (!node) raise(node.error());
  return std::move(*node);
}

/// A strategy or an observer that knows its router makes a cycle: the collector sees it here.
void collectable(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!py::detail::is_holder_constructed(self)) return 0;
    for (const std::shared_ptr<Held>* held : py::handle(self).cast<PyRouter&>().held()) {
      Py_VISIT((*held)->get().ptr());
    }
    return 0;
  };
  type.tp_clear = [](PyObject* self) {
    if (py::detail::is_holder_constructed(self)) py::handle(self).cast<PyRouter&>().clear();
    return 0;
  };
}

}  // namespace

PyRouter::PyRouter(std::string config, std::string_view source, const py::object& strategy,
                   const py::object& observer)
    : config_(std::move(config)),
      strategy_(std::make_shared<Held>(strategy)),
      observer_(std::make_shared<Held>(observer)) {
  Result<Router> made = Router::create(config_from(config_, source));
  if (!made) raise(made.error());
  if (!strategy.is_none()) made->use(python_strategy(strategy_));
  if (!observer.is_none()) made->use(python_observer(observer_));
  core_ = make_core(std::move(*made), !strategy.is_none() || !observer.is_none());
  live_routers().insert(this);
}

PyRouter::~PyRouter() {
  live_routers().erase(this);
  for (const std::weak_ptr<Driver>& driver : drivers_) {
    if (const auto alive = driver.lock()) alive->retire();
  }
}

std::shared_ptr<Core> PyRouter::core() const {
  if (!core_) raise(ErrorCode::shutting_down, "the router is closed");
  return core_;
}

PyReply PyRouter::route(const Arguments& arguments) {
  const std::shared_ptr<Core> core = this->core();
  Interrupt interrupt(core);
  Result<Reply> reply = wait_for_reply(*core, arguments.request, interrupt);
  raise_from_observer(reply ? reply->request_id : reply.error().request_id);
  interrupt.raise_pending();
  if (!reply) raise(core->explain(std::move(reply).error()));
  return PyReply(std::move(*reply));
}

std::unique_ptr<PullStream> PyRouter::stream(Arguments arguments) {
  return std::make_unique<PullStream>(core(), std::move(arguments));
}

AsyncCallHandle PyRouter::start(const Arguments& arguments, AsyncCall::Kind kind) {
  const std::shared_ptr<Core> core = this->core();
  const std::shared_ptr<Driver> driver = this->driver();
  auto call = std::make_shared<AsyncCall>(core, *driver);
  call->start(arguments.request, kind);
  return {driver, std::move(call)};
}

/// The running asyncio loop's; those of loops that are gone are forgotten.
std::shared_ptr<Driver> PyRouter::driver() {
  static constinit PyObject* get_running_loop = nullptr;  // no guard: the import may drop the GIL
  if (get_running_loop == nullptr) {
    const py::object function = py::module_::import("asyncio").attr("get_running_loop");
    get_running_loop = function.inc_ref().ptr();
  }
  const py::object running = py::handle(get_running_loop)();
  std::shared_ptr<Driver> found;
  std::erase_if(drivers_, [&](const std::weak_ptr<Driver>& candidate) {
    const std::shared_ptr<Driver> alive = candidate.lock();
    if (alive && alive->belongs_to(running) && !alive->forked()) found = alive;
    return !alive;
  });
  if (found) return found;
  found = std::make_shared<Driver>(running);
  found->watch();
  drivers_.push_back(found);
  return found;
}

py::dict PyRouter::snapshot() const { return dict_of(core()->router.snapshot()); }

py::dict PyRouter::explain(std::string_view path, const py::object& body) const {
  const std::shared_ptr<Core> core = this->core();
  const std::string_view view = view_of(body);
  const Result<Explanation> explanation =
      without_gil([&] { return core->router.explain({.path = path, .body = view}); });
  if (!explanation) raise(explanation.error());
  return dict_of(*explanation);
}

std::vector<std::string> PyRouter::models() const { return core()->router.snapshot().models; }

template <class F>
void PyRouter::change(F&& f) const {
  const std::shared_ptr<Core> core = this->core();
  const Result<void> done = without_gil([&] { return f(core->router); });
  if (!done) raise(done.error());
}

void PyRouter::add_node(std::string_view node_json) {
  NodeConfig node = node_from(node_json);
  change([&](Router& router) { return router.add_node(std::move(node)); });
}

void PyRouter::update_node(std::string_view node_json) {
  NodeConfig node = node_from(node_json);
  change([&](Router& router) { return router.update_node(std::move(node)); });
}

std::vector<std::string> PyRouter::reload(std::string config, std::string_view source) {
  const std::shared_ptr<Core> core = this->core();
  Config parsed = config_from(config, source);
  const Result<std::vector<std::string>> kept =
      without_gil([&] { return core->router.reload(std::move(parsed)); });
  if (!kept) raise(kept.error());
  config_ = std::move(config);
  return *kept;
}

void PyRouter::remove_node(std::string_view name) {
  change([&](Router& router) { return router.remove_node(name); });
}

void PyRouter::drain_node(std::string_view name, bool drain) {
  change([&](Router& router) { return router.drain_node(name, drain); });
}

void PyRouter::close() {
  if (!core_) return;
  core_->closed = true;
  for (const std::weak_ptr<Driver>& driver : std::exchange(drivers_, {})) {
    if (const auto alive = driver.lock()) alive->close();
  }
  core_.reset();
}

py::tuple PyRouter::recipe() const {
  return py::make_tuple(config_, strategy_->get(), observer_->get());
}

void PyRouter::clear() {
  close();
  strategy_->clear();
  observer_->clear();
}

void close_all_routers() {
  const std::vector<PyRouter*> routers(live_routers().begin(), live_routers().end());
  for (PyRouter* router : routers) {
    if (live_routers().contains(router)) router->close();
  }
}

void PyRouter::bind(py::module_& module) {
  py::class_<PyRouter> type(module, "Router", py::custom_type_setup(&collectable));
  type.def(py::init<std::string, std::string_view, const py::object&, const py::object&>(),
           py::arg("config"), py::arg("source"), py::arg("strategy"), py::arg("observer"));
  def_call(type, "route", [](PyRouter& r, const Arguments& a) { return r.route(a); });
  def_call(type, "stream", [](PyRouter& r, Arguments a) { return r.stream(std::move(a)); });
  def_call(type, "_start_plain",
           [](PyRouter& r, const Arguments& a) { return r.start(a, AsyncCall::Kind::plain); });
  def_call(type, "_start_stream",
           [](PyRouter& r, const Arguments& a) { return r.start(a, AsyncCall::Kind::stream); });
  type.def("snapshot", &PyRouter::snapshot)
      .def("explain", &PyRouter::explain, py::arg("path"), py::arg("body"))
      .def("models", &PyRouter::models)
      .def("_add_node", &PyRouter::add_node)
      .def("_update_node", &PyRouter::update_node)
      .def("_reload", &PyRouter::reload, py::arg("config"), py::arg("source"))
      .def("_recipe", &PyRouter::recipe)
      .def("remove_node", &PyRouter::remove_node, py::arg("name"))
      .def("drain_node", &PyRouter::drain_node, py::arg("name"), py::arg("drain"))
      .def("close", &PyRouter::close);
  module.def("asks_for_stream", [](const py::object& body) {
    const Result<wire::RequestView> view = wire::read_request(view_of(body));
    return view && view->stream;
  });
  module.def("is_inference_path", &wire::is_inference_path);
}

}  // namespace llmroute::python

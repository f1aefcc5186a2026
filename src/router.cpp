// The public face of the router: each function finds a loop for the call and hands over.
#include <llmroute/router.hpp>

#include "router/async_call.hpp"
#include "router/call_root.hpp"
#include "router/explain.hpp"
#include "router/loop_pool.hpp"
#include "router/no_memory.hpp"
#include "router/pull_stream.hpp"
#include "router/router_core.hpp"
#include "router/snapshot.hpp"
#include "router/wait.hpp"

namespace llmroute {

Call::Call() noexcept = default;
Call::Call(Call&&) noexcept = default;
Call::Call(std::shared_ptr<detail::CallHandle> handle) noexcept : handle_(std::move(handle)) {}
Call::~Call() { cancel(); }

Call& Call::operator=(Call&& other) noexcept {
  if (this != &other) {
    cancel();
    handle_ = std::move(other.handle_);
  }
  return *this;
}

void Call::cancel() {
  if (handle_) handle_->cancel();
}

void Call::drained() {
  if (handle_) handle_->drained();
}

void Call::wait() {
  if (handle_) handle_->wait();
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;
Stream::Stream(std::unique_ptr<detail::StreamState> state) noexcept : state_(std::move(state)) {}

Result<std::optional<Event>> Stream::next() {
  return detail::without_throwing([&] { return state_->next(); });
}
const Reply& Stream::reply() const noexcept { return state_->reply(); }

Stream::Iterator Stream::begin() {
  Iterator it;
  it.stream_ = this;
  ++it;
  return it;
}

Stream::Iterator& Stream::Iterator::operator++() {
  const bool failed = current_ && !current_->has_value();
  current_.reset();
  if (failed) return *this;
  Result<std::optional<Event>> next = stream_->next();
  if (!next) {
    current_.emplace(std::move(next).error());
  } else if (*next) {
    current_.emplace(**next);
  }
  return *this;
}

Result<Router> Router::create(Config config) {
  return detail::without_throwing([&]() -> Result<Router> {
    if (Result<void> ready = config.prepare(); !ready) return std::move(ready).error();
    return Router(std::make_shared<detail::RouterCore>(std::move(config)));
  });
}

Router::Router(Config config) {
  Result<Router> made = create(std::move(config));
  if (!made) throw ConfigError(std::move(made).error());
  core_ = std::move(made->core_);
}

Router::Router(std::shared_ptr<detail::RouterCore> core) noexcept : core_(std::move(core)) {}
Router::Router(Router&&) noexcept = default;

Router& Router::operator=(Router&& other) noexcept {
  if (this != &other) {
    if (core_) core_->shut_down();
    core_ = std::move(other.core_);
  }
  return *this;
}

Router::~Router() {
  if (core_) core_->shut_down();
}

Result<Reply> Router::route(const Request& request) {
  return detail::without_throwing([&] {
    core_->enter();
    std::unique_ptr<detail::WorkerLoop> worker = core_->loops().take(*core_);
    Result<Reply> result = [&] {
      detail::CallRoot root(core_, worker->state, worker->loop.core(), request, nullptr);
      root.start();
      detail::Wait wait(worker->loop, root);
      while (!root.finished()) wait.turn();
      return root.take_result();
    }();
    core_->loops().give(std::move(worker));
    return result;
  });
}

Result<Stream> Router::stream(const Request& request) {
  return detail::without_throwing([&]() -> Result<Stream> {
    core_->enter();
    auto state = std::make_unique<detail::StreamState>(core_, core_->loops().take(*core_), request);
    if (Result<void> opened = state->open(); !opened) return std::move(opened).error();
    return Stream(std::move(state));
  });
}

Call Router::start(const Request& request, Callbacks callbacks) {
  core_->enter();
  detail::Background& background = core_->background();
  EventLoop& loop = background.loop();
  auto handle = std::make_shared<detail::CallHandle>(core_, loop, request, std::move(callbacks));
  loop.post([handle, &background] { handle->start_or_fail(background.state()); });
  return Call(std::move(handle));
}

Call Router::run_on(EventLoop& loop, const Request& request, Callbacks callbacks) {
  core_->enter();
  auto handle = std::make_shared<detail::CallHandle>(core_, loop, request, std::move(callbacks));
  handle->start(core_->state_of(loop.core()));
  return Call(std::move(handle));
}

Result<Reply> Router::route_chat(std::string_view body) {
  return route({.path = "/v1/chat/completions", .body = body});
}
Result<Reply> Router::route_completion(std::string_view body) {
  return route({.path = "/v1/completions", .body = body});
}
Result<Reply> Router::route_embedding(std::string_view body) {
  return route({.path = "/v1/embeddings", .body = body});
}

void Router::use(std::shared_ptr<Strategy> strategy) { core_->use(std::move(strategy)); }
void Router::use(std::shared_ptr<RateStore> store) { core_->use(std::move(store)); }
void Router::use(std::shared_ptr<Observer> observer) { core_->use(std::move(observer)); }
void Router::maintain(EventLoop& loop) { core_->maintain(loop.core()); }

Result<void> Router::add_node(NodeConfig node) {
  return detail::without_throwing([&] { return core_->add_node(std::move(node)); });
}
Result<void> Router::update_node(NodeConfig node) {
  return detail::without_throwing([&] { return core_->update_node(std::move(node)); });
}
Result<void> Router::remove_node(std::string_view name) {
  return detail::without_throwing([&] { return core_->remove_node(name); });
}
Result<void> Router::drain_node(std::string_view name, bool drain) {
  return detail::without_throwing([&] { return core_->drain_node(name, drain); });
}

Result<std::vector<std::string>> Router::reload(Config config) {
  return detail::without_throwing([&] { return core_->reload(std::move(config)); });
}

Snapshot Router::snapshot() const { return detail::take_snapshot(*core_); }
Result<Explanation> Router::explain(const Request& request) const {
  return detail::without_throwing([&] { return detail::explain(*core_, request); });
}
Config Router::config() const { return core_->settings()->config; }

}  // namespace llmroute

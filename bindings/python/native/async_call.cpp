#include "async_call.hpp"

#include "callbacks.hpp"
#include "done_event.hpp"
#include "failure.hpp"
#include "reply.hpp"
#include "run_python.hpp"
#include "values.hpp"

namespace llmroute::python {

namespace {

bool is_done(py::handle future) { return py::cast<bool>(call(attribute(future, "done"))); }

}  // namespace

AsyncCall::Item::Item(const Event& event) : raw(event.raw), size(event.data.size()) {
  const char* begin = event.raw.data();
  if (event.data.empty()) return;
  if (event.data.data() >= begin && event.data.data() < begin + event.raw.size()) {
    at = static_cast<std::size_t>(event.data.data() - begin);
  } else {
    joined = event.data;
  }
}

std::string_view AsyncCall::Item::data() const noexcept {
  return joined.empty() ? std::string_view(raw).substr(at, size) : std::string_view(joined);
}

void AsyncCall::start(const Request& request, Kind kind) {
  done_left_ = kind == Kind::stream && ends_with_done(request.path);
  Callbacks callbacks;
  const std::shared_ptr<AsyncCall> self = shared_from_this();
  if (kind == Kind::stream) {
    callbacks.on_head = [self](const StreamHead& head) { self->on_head(head); };
    callbacks.on_event = [self](const Event& event) { return self->on_event(event); };
  }
  callbacks.on_done = [self](Result<Reply> result) { self->on_done(std::move(result)); };
  call_ = core_->router.run_on(driver_.loop(), request, std::move(callbacks));
  driver_.enter(*this);
}

void AsyncCall::on_head(const StreamHead& head) {
  head_.http_status = head.http_status;
  head_.headers = head.headers;
  head_.node = head.node;
  head_.request_id = head.request_id;
}

Taken AsyncCall::on_event(const Event& event) {
  if (closed_) return Taken::done;  // its cancelling is under way
  events_.emplace_back(event);
  queued_ += event.raw.size();
  kept_ = queued_ > high;
  wake();
  return kept_ ? Taken::kept : Taken::done;
}

void AsyncCall::on_done(Result<Reply> result) {
  raised_ = take_raised(result ? result->request_id : result.error().request_id);
  if (result) {
    if (head_.http_status != 0) head_ = *result;
    result_.emplace(std::move(result));
  } else {
    result_.emplace(core_->explain(std::move(result).error()));
  }
  wake();
  driver_.leave(*this);
}

void AsyncCall::wake() {
  if (!future_) return;
  const py::object future = std::move(future_);
  try {
    if (!is_done(future)) call(attribute(future, "set_result"), py::make_tuple(py::none()));
  } catch (const py::error_already_set&) {  // the asyncio loop is closed: nobody waits any more
  }
}

py::object AsyncCall::wait() {
  if (future_ && !is_done(future_)) {
    throw std::runtime_error("the stream is being read by another task");
  }
  future_ = driver_.create_future();
  if (!ready()) return future_;
  const py::object future = future_;
  wake();
  return future;
}

py::object AsyncCall::take(Form form) {
  while (!events_.empty()) {
    const Item& item = events_.front();
    const std::string_view data = item.data();
    if (form != Form::raw && data.empty()) {
      drop_front();
      continue;
    }
    py::object taken = form == Form::parsed
                           ? parse_json(data)
                           : py::object(bytes(form == Form::raw ? item.raw : data));
    drop_front();
    return taken;
  }
  if (closed_) raise(ErrorCode::cancelled, "the stream was closed");
  if (!ended()) return py::ellipsis();
  check_end();
  if (form == Form::raw && std::exchange(done_left_, false)) return bytes(done_event);
  return py::none();
}

void AsyncCall::close() {
  if (ended() && events_.empty()) return;
  closed_ = true;
  events_.clear();
  queued_ = 0;
  call_.cancel();
  wake();
}

void AsyncCall::check_end() const {
  if (raised_) raise(raised_);
  if (!*result_) raise(result_->error());
}

void AsyncCall::drop_front() {
  queued_ -= events_.front().raw.size();
  events_.pop_front();
  if (!kept_ || queued_ > low) return;
  kept_ = false;
  call_.drained();
}

void AsyncCall::check_open() const {
  if (events_.empty() && ended()) check_end();
}

Reply AsyncCall::reply() const {
  if (!ended() || head_.http_status != 0) return head_;
  check_end();
  return **result_;
}

AsyncCallHandle::~AsyncCallHandle() {
  if (call_ && !driver_->forked()) call_->cancel();
}

py::object AsyncCallHandle::wait() const {
  if (driver_->forked()) raise(ErrorCode::forked, "the call belongs to the parent process");
  return call_->wait();
}

void AsyncCallHandle::bind(py::module_& module) {
  using Form = AsyncCall::Form;
  const auto take = [](Form form) {
    return [form](const AsyncCallHandle& h) { return h.get().take(form); };
  };
  py::class_<AsyncCallHandle>(module, "AsyncCall")
      .def("wait", &AsyncCallHandle::wait)
      .def("take", take(Form::data))
      .def("take_raw", take(Form::raw))
      .def("take_parsed", take(Form::parsed))
      .def("close", [](const AsyncCallHandle& h) { h.get().close(); })
      .def("check_open", [](const AsyncCallHandle& h) { h.get().check_open(); })
      .def("reply", [](const AsyncCallHandle& h) { return PyReply(h.get().reply()); })
      .def_property_readonly("status",
                             [](const AsyncCallHandle& h) { return h.get().head().http_status; })
      .def_property_readonly(
          "headers", [](const AsyncCallHandle& h) { return headers(h.get().head().headers); })
      .def_property_readonly("node",
                             [](const AsyncCallHandle& h) { return text(h.get().head().node); })
      .def_property_readonly(
          "request_id", [](const AsyncCallHandle& h) { return text(h.get().head().request_id); });
}

}  // namespace llmroute::python

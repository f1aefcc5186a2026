#include "pull_stream.hpp"

#include "callbacks.hpp"
#include "done_event.hpp"
#include "failure.hpp"
#include "reply.hpp"
#include "values.hpp"

namespace llmroute::python {

/// One thread at a time: the second is told instead of breaking the first.
class PullStream::Reading {
 public:
  explicit Reading(PullStream& stream) : stream_(stream) {
    if (stream_.reading_.exchange(true)) {
      throw std::runtime_error("the stream is being read by another thread");
    }
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { stream_.reading_ = false; }

 private:
  PullStream& stream_;
};

PullStream::PullStream(const std::shared_ptr<Core>& core, Arguments arguments)
    : interrupt_(core), core_(core), done_left_(ends_with_done(arguments.request.path)) {
  Request& request = arguments.request;
  request.options.interrupted = [this] { return interrupt_.asked(); };
  Result<Stream> opened = without_gil([&] { return core_->router.stream(request); });
  raise_from_observer(opened ? opened->reply().request_id : opened.error().request_id);
  interrupt_.raise_pending();
  if (!opened) raise(core_->explain(std::move(opened).error()));
  stream_.emplace(std::move(*opened));
  head_ = stream_->reply();
}

PullStream::~PullStream() { drop(); }

/// What an observer has to say of a stream that nobody reads is of no interest.
void PullStream::drop() {
  without_gil([&] { stream_.reset(); });
  take_raised(head_.request_id);
}

py::object PullStream::read() {
  const std::optional<std::string_view> data = pull(Form::data);
  return data ? py::object(bytes(*data)) : py::none();
}

py::object PullStream::read_raw() {
  if (const std::optional<std::string_view> event = pull(Form::raw)) return bytes(*event);
  return std::exchange(done_left_, false) ? py::object(bytes(done_event)) : py::none();
}

py::object PullStream::next() {
  const std::optional<std::string_view> data = pull(Form::data);
  if (!data) throw py::stop_iteration();
  return raw ? py::object(bytes(*data)) : parse_json(*data);
}

std::optional<std::string_view> PullStream::pull(Form form) {
  Reading reading(*this);
  if (ended_) return std::nullopt;
  if (!stream_) raise(core_->explain(closed()));
  Result<std::optional<std::string_view>> view = without_gil([&] { return wait_for(form); });
  raise_from_observer(head_.request_id);
  interrupt_.raise_pending();
  if (!view) raise(core_->explain(std::move(view).error()));
  ended_ = !*view;
  if (ended_) head_ = stream_->reply();
  return *view;
}

Result<std::optional<std::string_view>> PullStream::wait_for(Form form) {
  for (;;) {
    Result<std::optional<Event>> event = stream_->next();
    if (!event) return std::move(event).error();
    if (!*event) return std::optional<std::string_view>{};
    const Event& got = **event;
    if (form == Form::raw) return std::optional(got.raw);
    if (!got.data.empty()) return std::optional(got.data);
  }
}

void PullStream::close() {
  if (reading_.exchange(true)) return interrupt_.stop();
  drop();
  reading_ = false;
}

Error PullStream::closed() const {
  return {.code = ErrorCode::cancelled,
          .message = "the stream was closed",
          .node = head_.node,
          .request_id = head_.request_id};
}

void PullStream::bind(py::module_& module) {
  py::class_<PullStream>(module, "Stream")
      .def("read", &PullStream::read)
      .def("read_raw", &PullStream::read_raw)
      .def("close", &PullStream::close)
      .def("reply", [](const PullStream& s) { return PyReply(s.head()); })
      .def_property_readonly("status", [](const PullStream& s) { return s.head().http_status; })
      .def_property_readonly("headers",
                             [](const PullStream& s) { return headers(s.head().headers); })
      .def_property_readonly("node", [](const PullStream& s) { return text(s.head().node); })
      .def_property_readonly("request_id",
                             [](const PullStream& s) { return text(s.head().request_id); })
      .def_readwrite("raw", &PullStream::raw)
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &PullStream::next)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PullStream& s, const py::args&) { s.close(); });
}

}  // namespace llmroute::python

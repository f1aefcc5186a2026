/// The life of a routed request. The server has seen to framing and limits, the front to
/// authentication; here JSON comes.
#include "inference.hpp"

#include <utility>

#include <llmroute/wire/api_path.hpp>
#include <llmroute/wire/error_body.hpp>

#include "access.hpp"
#include "answers.hpp"
#include "asked.hpp"
#include "fields.hpp"
#include "gateway.hpp"
#include "outcome.hpp"
#include "refusal.hpp"
#include "worker.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::Event;
using llmroute::Reply;
using llmroute::Result;
using llmroute::Taken;

constexpr int caller_gone = 499;  // in log and metrics alone: there is nobody to send it to
constexpr std::string_view done_event = "data: [DONE]\n\n";
std::string_view content_type(const http::Request& request) {
  const std::string_view value = request.find("Content-Type").value_or("");
  return http::is_field_text(value) && !value.empty() ? value : "application/json";
}

constexpr std::string_view still_there = ": waiting\n\n";  // a comment: readers of streams skip it

}  // namespace

void Inference::start(Worker& worker, const http::Request& request, http::Responder responder,
                      std::string request_id) {
  const llmroute::Time started = llmroute::Clock::now();
  Result<Asked> asked = read_asked(request);
  if (!asked) return refuse(worker, asked.error(), request, std::move(responder), request_id);
  auto identity = std::static_pointer_cast<const Identity>(request.note);
  const bool judged = identity && identity->has_rules();
  // What is passed on reaches the node as it is: there nobody fills in a default model.
  if (judged && asked->model.empty() && llmroute::wire::is_inference_path(request.path())) {
    asked->model = default_model(worker.defaults(), worker.gateway().router());
  }
  if (const std::string why = why_not(identity.get(), asked->model); !why.empty()) {
    return refuse_model(worker, why, request, std::move(responder), request_id);
  }
  auto* inference = new Inference(worker, std::move(responder), std::move(request_id),
                                  std::move(identity), started);
  inference->stream_ = asked->stream;
  inference->ends_with_done_ = llmroute::wire::streams_chunks(request.path());
  inference->route_or_end(request, *asked);
}

void Inference::refuse(Worker& worker, const Error& error, const http::Request& request,
                       http::Responder responder, std::string_view request_id) {
  report(worker.gateway(), {.request_id = request_id,
                            .status = error.client_status(),
                            .error = llmroute::traits(error.code).name,
                            .client = request.client()});
  responder.send(answer_of(error, request_id));
}

void Inference::refuse_model(Worker& worker, std::string_view why, const http::Request& request,
                             http::Responder responder, std::string_view request_id) {
  constexpr int forbidden = 403;
  constexpr std::string_view code = "model_not_allowed";
  report(worker.gateway(), {.request_id = request_id,
                            .status = forbidden,
                            .error = code,
                            .key_prefix = identity_of(request)->key_prefix,
                            .client = request.client()});
  responder.send(document(
      forbidden, llmroute::wire::error_json(why, "permission_error", "model", code), request_id));
}

Inference::Inference(Worker& worker, http::Responder responder, std::string request_id,
                     std::shared_ptr<const Identity> identity, llmroute::Time started)
    : worker_(worker),
      responder_(std::move(responder)),
      request_id_(std::move(request_id)),
      identity_(std::move(identity)),
      started_(started) {
  responder_.watch(*this);
  worker_.inference_began();
}

Inference::~Inference() { worker_.inference_ended(); }

/// A call that could not begin has no on_done.
void Inference::route_or_end(const http::Request& request, const Asked& asked) noexcept {
  try {
    model_ = asked.model;
    client_ = request.client();
    route(request, asked);
  } catch (const std::exception&) {  // short of memory, or of what threads are made of
    Result<Reply> failed = Error{.code = llmroute::ErrorCode::internal, .message = "cannot begin"};
    on_done(failed);
  }
}

void Inference::route(const http::Request& request, const Asked& asked) {
  llmroute::Request call{.path = request.target(), .body = request.body};
  call.options.request_id = request_id_;
  call.options.model = asked.model;  // the one that was judged, whatever a reload now says
  if (identity_) {
    call.options.tenant = identity_->tenant;
    call.options.limits = own_limits(identity_.get(), asked.model, worker_.defaults().limits);
  }
  for (std::size_t i = 0; i < request.size(); ++i) {
    const auto [name, value] = request.field(i);
    if (passes_to_node(name, value)) call.headers.add(std::string(name), std::string(value));
  }
  if (!llmroute::wire::is_inference_path(request.path())) {  // a form's has its boundary
    call.headers.add("Content-Type", std::string(content_type(request)));
  }
  llmroute::Callbacks callbacks;
  callbacks.on_done = [this](Result<Reply>&& result) { on_done(result); };
  if (stream_) {
    callbacks.on_head = [this](const llmroute::StreamHead& head) { on_head(head); };
    callbacks.on_event = [this](const Event& event) { return on_event(event); };
    worker_.late_heads().join(*this, started_);
  }
  call_ = worker_.gateway().router().run_on(worker_.loop(), call, std::move(callbacks));
}

void Inference::on_head(const llmroute::StreamHead& head) {
  leave();
  if (head_sent_) return;  // it went out early; which node it is cannot be said any more
  head_sent_ = true;
  responder_.start(head.http_status, stream_fields(&head, request_id_, elapsed() - head.at_nodes));
}

/// Nothing to say for a long time: from now on only errors in the stream remain.
void Inference::send_head() {
  if (gone_) return;
  head_sent_ = true;
  responder_.start(200, stream_fields(nullptr, request_id_));
  responder_.write(still_there);
}

Taken Inference::on_event(const Event& event) {
  if (gone_) return Taken::done;
  if (!first_event_) first_event_ = elapsed();
  event_kept_ = !responder_.write(event.raw);
  return event_kept_ ? Taken::kept : Taken::done;
}

void Inference::on_writable() {
  if (std::exchange(event_kept_, false)) call_.drained();
}

void Inference::on_gone() {
  gone_ = true;
  call_.cancel();
}

std::string_view Inference::padding() const { return still_there; }

void Inference::on_done(Result<Reply>& result) noexcept {
  leave();
  try {
    if (result) {
      finish(*result);
    } else {
      finish(result.error());
    }
  } catch (const std::bad_alloc&) {  // no memory for an answer: the connection breaks
  }
  delete this;
}

llmroute::Duration Inference::elapsed() const { return llmroute::Clock::now() - started_; }

void Inference::finish(Reply& reply) {
  const llmroute::Duration time = elapsed();
  report(worker_.gateway(), {.request_id = request_id_,
                             .model = model_.empty() ? reply.model : model_,
                             .node = reply.node,
                             .status = gone_ ? caller_gone : reply.http_status,
                             .stream = stream_,
                             .attempts = reply.attempts.size(),
                             .usage = reply.usage,
                             .key_prefix = key_prefix(),
                             .client = client_,
                             .time = time,
                             .first_content = reply.first_content});
  const llmroute::Duration overhead = time - reply.at_nodes;
  if (!stream_) return responder_.send(answer_of(std::move(reply), request_id_, overhead));
  responder_.end(ends_with_done_ ? done_event : std::string_view());
}

/// Of an error that names models only those are told that this caller may use.
http::Response Inference::answer_for_caller(const Error& error, llmroute::Duration overhead) const {
  if (!names_others(identity_.get(), error)) return answer_of(error, request_id_, overhead);
  std::vector<std::string> models = worker_.gateway().router().snapshot().models;
  const Error own = without_others(*identity_, error, model_, std::move(models));
  return answer_of(own, request_id_, overhead);
}

void Inference::finish(const Error& error) {
  if (const auto rejection = rejection_of(error)) worker_.gateway().metrics().rejected(*rejection);
  const llmroute::Duration time = elapsed();
  const llmroute::Duration overhead = time - error.at_nodes;
  http::Response answer = answer_for_caller(error, overhead);
  const bool left = gone_ || error.code == llmroute::ErrorCode::cancelled;
  report(worker_.gateway(), {.request_id = request_id_,
                             .model = model_,
                             .node = error.node,
                             .status = left ? caller_gone : answer.status,
                             .stream = stream_,
                             .attempts = error.attempts.size(),
                             .error = llmroute::traits(error.code).name,
                             .usage = error.usage,
                             .key_prefix = key_prefix(),
                             .client = client_,
                             .time = time,
                             .first_content = first_event_});
  if (!head_sent_) return responder_.send(std::move(answer));
  responder_.end(error_event(error), http::After::close);
}

}  // namespace gateway

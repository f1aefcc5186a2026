/// Between HTTP and values.
#include "admin_call.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "administration.hpp"
#include "gateway/answers.hpp"
#include "gateway/gateway.hpp"
#include "gateway/worker.hpp"

namespace gateway {
namespace {

constexpr int no_content = 204;

/// What stays on the worker's thread: a responder is no other's to touch, nor to destroy.
struct Waiting {
  Worker& worker;
  http::Responder responder;
  std::string request_id;
  AdminRequest request;

  void finish(AdminAnswer answer) {
    worker.gateway()
        .log()
        .line(LogLevel::info, "admin")
        .add("request_id", request_id)
        .add("who", request.who)
        .add("status", answer.status);
    responder.send(answer.status == no_content
                       ? http::Response{.status = no_content, .fields = request_fields(request_id)}
                       : document(answer.status, std::move(answer.body), request_id));
    worker.inference_ended();
  }
};

}  // namespace

void AdminCall::start(Worker& worker, const Route& route, http::Request request,
                      http::Responder responder, std::string request_id) {
  Gateway& gateway = worker.gateway();
  AdminRequest asked{
      .endpoint = route.endpoint,
      .ids = path_ids(route, request.path()),
      .body = std::move(request.body),
      .who = fmt::format("{} from {}", gateway.auth().admin_name(), request.client())};
  auto waiting = std::make_unique<Waiting>(
      Waiting{worker, std::move(responder), std::move(request_id), asked});
  gateway.administration()->answer(std::move(asked),
                                   [&worker, raw = waiting.get()](AdminAnswer answer) {
                                     worker.post([raw, answer = std::move(answer)]() mutable {
                                       const std::unique_ptr<Waiting> owned(raw);
                                       owned->finish(std::move(answer));
                                     });
                                   });
  (void)waiting.release();  // the answer comes by this thread: not before this function has ended
  worker.inference_began();
}

}  // namespace gateway

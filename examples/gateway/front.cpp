/// Refuses, answers itself, or hands over to Inference.
#include "front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/version.hpp>
#include <llmroute/wire/error_body.hpp>
#include <llmroute/wire/json_text.hpp>

#include "access.hpp"
#include "admin/admin_call.hpp"
#include "answers.hpp"
#include "gateway.hpp"
#include "inference.hpp"
#include "info.hpp"
#include "load_stats.hpp"
#include "outcome.hpp"
#include "request_id.hpp"
#include "ui.hpp"
#include "worker.hpp"

namespace gateway {
namespace {

constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

/// A HEAD is answered as its GET is, and the server leaves the body out.
std::string_view method_of(const http::Request& request) {
  return request.method() == "HEAD" ? std::string_view("GET") : request.method();
}

std::string service_json() {
  std::string out = fmt::format(R"({{"service":"llmroute-gateway","version":"{}","endpoints":[)",
                                llmroute::version());
  for (const Route& route : routes()) {
    if (&route != routes().data()) out += ',';
    out += llmroute::wire::json_quote(fmt::format("{} {}", route.method, route.path));
  }
  return out += "]}";
}

http::Response error_document(int status, std::string_view message, std::string_view type,
                              std::string_view code, std::string_view id) {
  return document(status, llmroute::wire::error_json(message, type, "", code), id);
}

http::Response page(std::string_view id) {
  http::Response answer = document(200, std::string(ui_page()), id, "text/html; charset=utf-8");
  answer.fields.add("Content-Security-Policy", std::string(ui_policy));
  return answer;
}

/// Of what the server refuses.
http::Response refusal(const http::Fault& fault, std::string_view id) {
  if (fault.status == 429) {
    return error_document(429, fault.text, "rate_limit_error", "rate_limit_exceeded", id);
  }
  if (fault.status == 503) return error_document(503, fault.text, "server_error", "overloaded", id);
  const bool ours = fault.status >= 500;
  return error_document(fault.status, fault.text, ours ? "server_error" : "invalid_request_error",
                        ours ? "internal_error" : "invalid_request", id);
}

}  // namespace

std::string Front::request_id(const http::Request& request) {
  const auto own = request.find("X-Request-ID");
  return own && sane_request_id(*own) ? std::string(*own) : make_request_id(worker_.rng());
}

bool Front::is_here(Access access, const http::Request& request) const {
  if (worker_.gateway().options().server.admin_listen.empty()) return true;
  const bool admin_door = request.listener() == static_cast<int>(Door::admin);
  return admin_door == (access == Access::admin);
}

/// Who it is goes on with the request.
bool Front::admitted(http::Request& request) const {
  Admission admission =
      worker_.gateway().auth().admit(request.find("Authorization"), worker_.keys());
  request.note = std::move(admission.identity);
  return admission.admitted;
}

void Front::log(const http::Request& request, std::string_view id, int status,
                bool asked_all_the_time) const {
  log_request(worker_.gateway().log(), request, id, status, asked_all_the_time);
}

http::Response Front::refuse(const http::Fault& fault, const http::Request& request) {
  const std::string id = request_id(request);
  log(request, id, fault.status);
  http::Response response = refusal(fault, id);
  if (fault.status == 429) response.fields.add("Retry-After", "1");
  return response;
}

http::Response Front::refuse_path(const Match& match, const http::Request& request) {
  const std::string id = request_id(request);
  if (match.allowed.empty()) {
    log(request, id, 404);
    return error_document(404, fmt::format("there is no {}", request.path()), "not_found_error",
                          "not_found", id);
  }
  log(request, id, 405);
  http::Response response =
      error_document(405, fmt::format("{} takes {}", request.path(), match.allowed),
                     "invalid_request_error", "method_not_allowed", id);
  response.fields.add("Allow", match.allowed);
  return response;
}

http::Response Front::refuse_admin(const http::Request& request) {
  const std::string id = request_id(request);
  if (!worker_.gateway().auth().admin_on()) {
    log(request, id, 403);
    return error_document(
        403, "the admin API is off: set auth.admin_key, or ADMIN_API_KEY, to turn it on",
        "permission_error", "admin_off", id);
  }
  if (const auto left_out = refused_admins_.take(llmroute::Clock::now())) {
    log(request, id, 401);
    log_refused_admin(worker_.gateway().log(), request, id, *left_out);
  }
  return error_document(401, "the admin key is needed: X-Admin-Key: <key>", "authentication_error",
                        "invalid_admin_key", id);
}

http::Response Front::refuse_caller(const Route& route, const http::Request& request) {
  const std::string id = request_id(request);
  if (is_routed(route.endpoint)) {
    report(
        worker_.gateway(),
        {.request_id = id, .status = 401, .error = "invalid_api_key", .client = request.client()});
  } else {
    log(request, id, 401);
  }
  http::Response response =
      error_document(401, "a valid token is needed: Authorization: Bearer <token>",
                     "authentication_error", "invalid_api_key", id);
  response.fields.add("WWW-Authenticate", "Bearer");
  return response;
}

http::Response Front::refuse_draining(const http::Request& request) {
  const std::string id = request_id(request);
  const llmroute::Error error{.code = llmroute::ErrorCode::shutting_down,
                              .message = "the gateway is shutting down"};
  http::Response response = answer_of(error, id);
  const Identity* identity = identity_of(request);
  worker_.gateway().metrics().rejected(Rejection::draining);
  report(worker_.gateway(),
         {.request_id = id,
          .status = response.status,
          .error = llmroute::traits(error.code).name,
          .key_prefix = identity == nullptr ? std::string_view() : identity->key_prefix,
          .client = request.client()});
  return response;
}

std::optional<http::Response> Front::on_head(http::Request& request) {
  Match match = find_route(method_of(request), request.path());
  if (!is_here(match.access, request)) match = {};
  if (match.route == nullptr) return refuse_path(match, request);
  const Route& route = *match.route;
  if (route.access == Access::admin) {
    const bool good = worker_.gateway().auth().admits_admin(request.find("X-Admin-Key"));
    return good ? std::nullopt : std::optional(refuse_admin(request));
  }
  if (route.access == Access::token && !admitted(request)) return refuse_caller(route, request);
  if (is_routed(route.endpoint) && worker_.gateway().draining()) return refuse_draining(request);
  return std::nullopt;
}

/// While a body comes, a key may be revoked, or expire, or be changed.
void Front::on_request(http::Request request, http::Responder responder) {
  const Match match = find_route(method_of(request), request.path());
  const Route& route = *match.route;
  if (request.body_came_later() && route.access == Access::token && !admitted(request)) {
    return responder.send(refuse_caller(route, request));
  }
  std::string id = request_id(request);
  if (is_routed(route.endpoint)) {
    return Inference::start(worker_, request, std::move(responder), std::move(id));
  }
  if (route.access == Access::admin) {
    return AdminCall::start(worker_, route, std::move(request), std::move(responder),
                            std::move(id));
  }
  http::Response answer = document_of(route, request, id);
  log(request, id, answer.status, route.access == Access::open);
  responder.send(std::move(answer));
}

http::Response Front::document_of(const Route& route, http::Request& request, std::string_view id) {
  Gateway& gateway = worker_.gateway();
  switch (route.endpoint) {
    case Endpoint::service:
      return document(200, service_json(), id);
    case Endpoint::version:
      return document(200, fmt::format(R"({{"version":"{}"}})", llmroute::version()), id);
    case Endpoint::alive:
      return document(200, R"({"status":"ok"})", id);
    case Endpoint::ui:
      return page(id);
    default:
      break;
  }
  const llmroute::Snapshot snapshot = gateway.router().snapshot();
  const bool able = health_of(snapshot) != Health::unavailable;
  switch (route.endpoint) {
    case Endpoint::health: {
      const bool open = !gateway.auth().required() || admitted(request);
      return document(able ? 200 : 503, health_json(snapshot, gateway.router().config(), open), id);
    }
    case Endpoint::ready: {
      const bool ready = able && !gateway.draining();
      return document(ready ? 200 : 503,
                      ready ? R"({"status":"ready"})" : R"({"status":"not ready"})", id);
    }
    case Endpoint::stats:
      return document(
          200, stats_json(snapshot, gateway.uptime_seconds(), gateway.metrics().requests()), id);
    case Endpoint::load_stats:
      return document(200, load_stats_json(snapshot), id);
    case Endpoint::metrics:
      return document(200, gateway.metrics().text(snapshot), id, prometheus_text);
    default:
      return models_of(route, request, snapshot, id);
  }
}

/// The list, or one of it: to a caller whose key may not use it a model is not there.
http::Response Front::models_of(const Route& route, const http::Request& request,
                                llmroute::Snapshot snapshot, std::string_view id) const {
  const std::int64_t created = worker_.gateway().started_unix();
  keep_allowed(snapshot.models, identity_of(request));
  if (route.endpoint == Endpoint::models) return document(200, models_json(snapshot, created), id);
  const std::string model = path_rest(route, request.path());
  if (std::find(snapshot.models.begin(), snapshot.models.end(), model) == snapshot.models.end()) {
    return document(404,
                    llmroute::wire::error_json(fmt::format("no model \"{}\"", model),
                                               "not_found_error", "model", "model_not_found"),
                    id);
  }
  return document(200, model_json(model, created), id);
}

}  // namespace gateway

#include "node.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <llmroute/wire/json_text.hpp>

#include "shapes.hpp"
#include "tokenize.hpp"

namespace mock {

namespace {

using llmroute::wire::json_quote;

constexpr std::string_view fault_prefix =
    "fault:";  // of a model's name: the rest is a fault of this request

http::Response json(int status, std::string body) {
  http::Response out{.status = status, .body = std::move(body)};
  out.fields.add("content-type", "application/json");
  return out;
}

http::Response bad_request(const llmroute::Error& why) {
  return json(400, error_body(why.message, "Bad Request", why.param, 400));
}

http::Response answer(llmroute::Result<std::string> body) {
  return body ? json(200, std::move(*body)) : bad_request(body.error());
}

bool is_fault(std::string_view model) noexcept { return model.starts_with(fault_prefix); }

http::Response not_found() { return json(404, R"({"detail":"Not Found"})"); }

std::optional<Kind> kind_of(std::string_view path) noexcept {
  if (path == "/v1/chat/completions") return Kind::chat;
  if (path == "/v1/completions") return Kind::completion;
  if (path == "/v1/embeddings") return Kind::embedding;
  return std::nullopt;
}

}  // namespace

Node::Node(boost::asio::io_context& context, NodeOptions options)
    : context_(context),
      options_(std::move(options)),
      pace_(options_.pace),
      plan_(options_.faults),
      habits_{.model = options_.models.front(),
              .answer_tokens = options_.answer_tokens,
              .reasoning_field = options_.reasoning_field} {}

std::optional<http::Response> Node::on_head(http::Request& request) {
  const bool open = request.path().substr(0, 4) != "/v1/";
  if (open || options_.api_key.empty()) return std::nullopt;
  if (request.find("authorization") == "Bearer " + options_.api_key) return std::nullopt;
  return json(401, R"({"error":"Unauthorized"})");
}

void Node::on_request(http::Request request, http::Responder responder) {
  const std::string path(request.path());
  const std::optional<Kind> kind = kind_of(path);
  if (path.substr(0, 9) == "/control/") return responder.send(control(request));
  if (kind && request.method() == "POST") {
    return generate(*kind, std::move(request), std::move(responder));
  }
  if (path == "/tokenize") return responder.send(answer(tokenize(request.body)));
  if (path == "/detokenize") return responder.send(answer(detokenize(request.body)));
  if (kind) return responder.send(json(405, R"({"detail":"Method Not Allowed"})"));
  responder.send(about(path));
}

http::Response Node::refuse(const http::Fault& fault, const http::Request&) {
  return json(fault.status, error_body(fault.text, "Bad Request", "", fault.status));
}

void Node::generate(Kind kind, http::Request request, http::Responder responder) {
  ++counters_.requests;
  last_ = fmt::format(R"({{"path":{},"body":{}}})", json_quote(request.path()),
                      json_quote(request.body));
  llmroute::Result<Question> question = read_question(kind, request.body, habits_);
  if (!question) return responder.send(bad_request(question.error()));
  llmroute::Result<const Fault*> fault = fault_for(*question);
  if (!fault) return responder.send(bad_request(fault.error()));
  if (!is_fault(question->model) && !serves(question->model)) {
    const std::string message = fmt::format("The model `{}` does not exist.", question->model);
    return responder.send(json(404, error_body(message, "NotFoundError", "model", 404)));
  }
  std::make_shared<Generation>(context_, pace_, counters_, std::move(*question), *fault,
                               std::move(responder))
      ->start(options_.embedding_dimension);
}

/// A model's name that is a fault has a plan of its own, which counts the requests for it.
llmroute::Result<const Fault*> Node::fault_for(const Question& question) {
  if (!is_fault(question.model))
    return serves(question.model) ? plan_.strike(question.kind) : nullptr;
  auto plan = plans_of_models_.find(question.model);
  if (plan == plans_of_models_.end()) {
    const std::string_view text = std::string_view(question.model).substr(fault_prefix.size());
    llmroute::Result<FaultPlan> parsed = FaultPlan::parse(text, options_.seed);
    if (!parsed) return parsed.error();
    plan = plans_of_models_.emplace(question.model, std::move(*parsed)).first;
  }
  return plan->second.strike(question.kind);
}

bool Node::serves(std::string_view model) const {
  return std::find(options_.models.begin(), options_.models.end(), model) != options_.models.end();
}

http::Response Node::about(std::string_view path) const {
  if (path == "/health" || path == "/ping") return {.status = 200};
  if (path == "/version") return json(200, R"({"version":"mock"})");
  if (path == "/v1/models") return json(200, models());
  if (path == "/metrics") {
    http::Response out{.body = metrics()};
    out.fields.add("content-type", "text/plain; version=0.0.4; charset=utf-8");
    return out;
  }
  return not_found();
}

/// GET /control/stats and /control/last, POST /control/fault {"fault":"status=503"}, DELETE
/// /control/fault.
http::Response Node::control(const http::Request& request) {
  if (request.path() == "/control/stats") {
    return json(200,
                fmt::format(R"({{"name":{},"requests":{},"aborted":{},"active":{},"finished":{}}})",
                            json_quote(options_.name), counters_.requests, counters_.aborted,
                            counters_.active, counters_.finished));
  }
  if (request.path() == "/control/last") return json(200, last_);
  if (request.path() != "/control/fault") return not_found();
  if (request.method() == "DELETE") {
    plan_ = FaultPlan();
    return json(200, "{}");
  }
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(request.body.data(), request.body.size())["fault"].get(text)) {
    return json(400,
                error_body("the body must be {\"fault\":\"...\"}", "Bad Request", "fault", 400));
  }
  llmroute::Result<FaultPlan> plan = FaultPlan::parse(text, options_.seed);
  if (!plan) return bad_request(plan.error());
  plan_ = std::move(*plan);
  return json(200, "{}");
}

std::string Node::models() const {
  std::string data;
  for (const std::string& model : options_.models) {
    data += fmt::format(
        R"({}{{"id":{},"object":"model","created":0,"owned_by":"mock","root":{},"parent":null,"max_model_len":{}}})",
        data.empty() ? "" : ",", json_quote(model), json_quote(model), max_model_len);
  }
  return fmt::format(R"({{"object":"list","data":[{}]}})", data);
}

/// vLLM's names, so that whoever reads load from vLLM reads it here.
std::string Node::metrics() const {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       auto value) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0}{{model_name=\"{3}\"}} {4}\n", name,
                       help, type, options_.models.front(), value);
  };
  add("vllm:num_requests_running", "gauge", "Requests in the batch.", pace_.running());
  add("vllm:num_requests_waiting", "gauge", "Requests waiting for a slot.", pace_.waiting());
  add("vllm:kv_cache_usage_perc", "gauge", "Share of the cache in use.", pace_.usage());
  add("vllm:request_success_total", "counter", "Requests answered.", counters_.finished);
  add("vllm:prompt_tokens_total", "counter", "Prompt tokens processed.", counters_.prompt_tokens);
  add("vllm:generation_tokens_total", "counter", "Tokens generated.", counters_.generated_tokens);
  return out;
}

}  // namespace mock

/// Fields in, fields out.
#include "answers.hpp"

#include <fmt/format.h>

#include "fields.hpp"
#include "refusal.hpp"

namespace gateway {
namespace {

http::Fields fields_with(std::string_view request_id) {
  http::Fields fields;
  fields.add("X-Request-ID", request_id);
  return fields;
}

void add_from_node(http::Fields& fields, const llmroute::Headers& from_node) {
  for (const llmroute::Header& field : from_node) {
    if (passes_to_caller(field.name, field.value)) fields.add(field.name, field.value);
  }
}

void add_routing(http::Fields& fields, std::string_view node, std::size_t attempts) {
  if (!node.empty()) fields.add("X-Routed-Node", node);
  if (attempts > 0) fields.add("x-llmroute-attempts", fmt::format_int(attempts).c_str());
}

void add_json(http::Fields& fields) { fields.add("Content-Type", "application/json"); }

}  // namespace

http::Response answer_of(llmroute::Reply&& reply, std::string_view request_id) {
  http::Response response{.status = reply.http_status, .fields = fields_with(request_id)};
  add_routing(response.fields, reply.node, reply.attempts.size());
  add_from_node(response.fields, reply.headers);
  response.body = std::move(reply.body);
  return response;
}

http::Response answer_of(const llmroute::Error& error, std::string_view request_id) {
  Refusal refusal = refusal_of(error);
  http::Response response{.status = refusal.status, .fields = fields_with(request_id)};
  http::Fields& fields = response.fields;
  add_routing(fields, error.node, error.attempts.size());
  if (refusal.retried) fields.add("x-should-retry", "false");
  if (refusal.retry_after_seconds) {
    fields.add("Retry-After", fmt::format_int(*refusal.retry_after_seconds).c_str());
  }
  if (refusal.node_fields != nullptr) {
    add_from_node(fields, *refusal.node_fields);
  } else {
    add_json(fields);
  }
  response.body = std::move(refusal.body);
  return response;
}

http::Fields stream_fields(const llmroute::StreamHead* head, std::string_view request_id) {
  http::Fields fields = fields_with(request_id);
  if (head != nullptr) {
    add_routing(fields, head->node, static_cast<std::size_t>(head->attempts));
    add_from_node(fields, head->headers);
  } else {
    fields.add("Content-Type", "text/event-stream");
  }
  fields.add("Cache-Control", "no-cache");
  fields.add("X-Accel-Buffering", "no");  // nginx in front would hold events back
  return fields;
}

http::Response document(int status, std::string body, std::string_view request_id,
                        std::string_view content_type) {
  http::Response response{.status = status, .fields = fields_with(request_id)};
  response.fields.add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace gateway

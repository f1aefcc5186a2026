/// Fields in, fields out.
#include "answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "fields.hpp"
#include "rate_fields.hpp"
#include "refusal.hpp"

namespace gateway {
namespace {

/// Where the caller stands here, or else at the node: one who is told both cannot tell them apart.
/// The node's own name for the request, where it has one, goes by another name: X-Request-ID is the
/// gateway's.
void add_from_node(http::Fields& fields, const llmroute::Headers& from_node,
                   const llmroute::RateReport& rate, std::string_view request_id) {
  const bool limited = add_rate_fields(fields, rate);
  for (const llmroute::Header& field : from_node) {
    if (limited && is_rate_field(field.name)) continue;
    if (passes_to_caller(field.name, field.value)) {
      fields.add(field.name, field.value);
    } else if (llmroute::same_field_name(field.name, "x-request-id") && field.value != request_id) {
      fields.add("x-upstream-request-id", field.value);
    }
  }
}

void add_routing(http::Fields& fields, std::string_view node, std::size_t attempts,
                 Overhead overhead) {
  if (!node.empty()) fields.add("X-Routed-Node", node);
  if (attempts > 0) fields.add("x-llmroute-attempts", fmt::format_int(attempts).c_str());
  if (!overhead) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(*overhead).count();
  fields.add("x-llmroute-overhead-us", fmt::format_int(std::max<std::int64_t>(us, 0)).c_str());
}

void add_json(http::Fields& fields) { fields.add("Content-Type", "application/json"); }

}  // namespace

http::Fields request_fields(std::string_view request_id) {
  http::Fields fields;
  fields.add("X-Request-ID", request_id);
  return fields;
}

http::Response answer_of(llmroute::Reply&& reply, std::string_view request_id, Overhead overhead) {
  http::Response response{.status = reply.http_status, .fields = request_fields(request_id)};
  add_routing(response.fields, reply.node, reply.attempts.size(), overhead);
  add_from_node(response.fields, reply.headers, reply.rate, request_id);
  response.body = std::move(reply.body);
  return response;
}

http::Response answer_of(const llmroute::Error& error, std::string_view request_id,
                         Overhead overhead) {
  Refusal refusal = refusal_of(error);
  http::Response response{.status = refusal.status, .fields = request_fields(request_id)};
  http::Fields& fields = response.fields;
  add_routing(fields, error.node, error.attempts.size(), overhead);
  if (refusal.retried) fields.add("x-should-retry", "false");
  if (refusal.retry_after_seconds) {
    fields.add("Retry-After", fmt::format_int(*refusal.retry_after_seconds).c_str());
  }
  if (refusal.node_fields != nullptr) {
    add_from_node(fields, *refusal.node_fields, error.rate, request_id);
  } else {
    add_rate_fields(fields, error.rate);
    add_json(fields);
  }
  response.body = std::move(refusal.body);
  return response;
}

http::Fields stream_fields(const llmroute::StreamHead* head, std::string_view request_id,
                           Overhead overhead) {
  http::Fields fields = request_fields(request_id);
  if (head != nullptr) {
    add_routing(fields, head->node, static_cast<std::size_t>(head->attempts), overhead);
    add_from_node(fields, head->headers, head->rate, request_id);
  } else {
    fields.add("Content-Type", "text/event-stream");
  }
  fields.add("Cache-Control", "no-cache");
  fields.add("X-Accel-Buffering", "no");  // nginx in front would hold events back
  return fields;
}

http::Response document(int status, std::string body, std::string_view request_id,
                        std::string_view content_type) {
  http::Response response{.status = status, .fields = request_fields(request_id)};
  response.fields.add("Content-Type", content_type);
  if (status == 503) response.fields.add("Retry-After", "1");
  response.body = std::move(body);
  return response;
}

}  // namespace gateway

/// The shapes, field by field in the documented order.
#include "info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <llmroute/wire/json_text.hpp>

namespace gateway {
namespace {

using llmroute::NodeSnapshot;
using llmroute::Snapshot;
using llmroute::wire::json_quote;

constexpr std::array<std::string_view, 3> health_names = {"ok", "degraded", "unavailable"};

/// `"name":"text"`.
void append_field(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "\"{}\":", name);
  out += json_quote(text);
}

/// The elements of `list`, each written by `write`, with commas between.
template <class List, class F>
void append_list(std::string& out, const List& list, F&& write) {
  out += '[';
  for (const auto& element : list) {
    if (&element != list.data()) out += ',';
    write(element);
  }
  out += ']';
}

void append_node_health(std::string& out, const NodeSnapshot& node) {
  out += '{';
  append_field(out, "name", node.name);
  out += ',';
  append_field(out, "url", node.url);
  fmt::format_to(std::back_inserter(out), ",\"healthy\":{},\"in_flight\":{}}}", node.healthy,
                 node.in_flight);
}

std::string milliseconds(std::optional<double> seconds) {
  return seconds ? fmt::format("{:.3f}", *seconds * 1e3) : "null";
}

/// Without a call there is no figure: null.
void append_latency(std::string& out, std::string_view name, double ewma, std::optional<double> p50,
                    std::optional<double> p95) {
  const std::optional<double> mean = ewma > 0 ? std::optional(ewma) : std::nullopt;
  fmt::format_to(std::back_inserter(out), R"(,"{}":{{"ewma":{},"p50":{},"p95":{}}})", name,
                 milliseconds(mean), milliseconds(p50), milliseconds(p95));
}

/// What is not known, or no number, is null.
std::string number(std::optional<double> value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "null";
}

std::string report_json(const std::optional<llmroute::NodeReport>& reported) {
  if (!reported) return "null";
  const llmroute::LoadReport& load = reported->load;
  return fmt::format(R"({{"running":{},"waiting":{},"kv_cache_usage":{},"age_seconds":{:.3f}}})",
                     number(load.running), number(load.waiting), number(load.kv_cache_usage),
                     reported->age_seconds);
}

void append_node_stats(std::string& out, const NodeSnapshot& node) {
  const auto to = std::back_inserter(out);
  out += '{';
  append_field(out, "name", node.name);
  out += ',';
  append_field(out, "url", node.url);
  fmt::format_to(to,
                 ",\"healthy\":{},\"draining\":{},\"weight\":{},\"in_flight\":{},\"capacity\":{},"
                 "\"requests\":{},\"failures\":{}",
                 node.healthy, node.draining, node.weight, node.in_flight, node.capacity,
                 node.requests, node.failures);
  append_latency(out, "latency_ms", node.latency_ewma_seconds, node.latency_p50_seconds,
                 node.latency_p95_seconds);
  append_latency(out, "ttft_ms", node.first_content_ewma_seconds, node.first_content_p50_seconds,
                 node.first_content_p95_seconds);
  fmt::format_to(to,
                 ",\"errors\":{{\"connect\":{},\"timeout\":{},\"status\":{},\"protocol\":{}}},"
                 "\"breaker\":{{",
                 node.connect_errors, node.timeout_errors, node.status_errors,
                 node.protocol_errors);
  append_field(out, "state", node.breaker);
  fmt::format_to(to,
                 ",\"opened\":{},\"retry_in_seconds\":{:.3f}}},\"reported\":{},\"last_score\":{}}}",
                 node.breaker_opened, node.breaker_retry_in_seconds, report_json(node.reported),
                 number(node.score));
}

}  // namespace

bool usable(const NodeSnapshot& node) {
  return node.healthy && !node.draining && node.breaker != "open";
}

Health health_of(const Snapshot& snapshot) {
  const auto good = std::count_if(snapshot.nodes.begin(), snapshot.nodes.end(), usable);
  if (good == 0) return Health::unavailable;
  return static_cast<std::size_t>(good) == snapshot.nodes.size() ? Health::ok : Health::degraded;
}

std::string health_json(const Snapshot& snapshot, const llmroute::Config& config, bool with_nodes) {
  std::string out = "{";
  append_field(out, "status", health_names[static_cast<std::size_t>(health_of(snapshot))]);
  out += ",\"router\":{";
  append_field(out, "strategy", config.router.strategy);
  fmt::format_to(
      std::back_inserter(out),
      ",\"max_retries\":{},\"node_timeout_seconds\":{},\"health_check_interval_seconds\":{}}}",
      config.router.max_retries, llmroute::seconds(config.timeouts.attempt),
      llmroute::seconds(config.health.interval));
  if (with_nodes) {
    out += ",\"nodes\":";
    append_list(out, snapshot.nodes,
                [&](const NodeSnapshot& node) { append_node_health(out, node); });
  }
  out += '}';
  return out;
}

std::string stats_json(const Snapshot& snapshot, double uptime_seconds, std::uint64_t requests) {
  std::string out;
  fmt::format_to(std::back_inserter(out),
                 "{{\"uptime_seconds\":{:.3f},\"requests\":{},\"queue_depth\":{},\"nodes\":",
                 uptime_seconds, requests, snapshot.queue_depth);
  append_list(out, snapshot.nodes, [&](const NodeSnapshot& node) { append_node_stats(out, node); });
  out += '}';
  return out;
}

std::string model_json(std::string_view id, std::int64_t created) {
  std::string out = "{";
  append_field(out, "id", id);
  fmt::format_to(std::back_inserter(out),
                 ",\"object\":\"model\",\"created\":{},\"owned_by\":\"llmroute\"}}", created);
  return out;
}

std::string models_json(const Snapshot& snapshot, std::int64_t created) {
  std::string out = "{\"object\":\"list\",\"data\":";
  append_list(out, snapshot.models, [&](const std::string& id) { out += model_json(id, created); });
  out += '}';
  return out;
}

}  // namespace gateway

#include "inspection.hpp"

#include <pybind11/stl.h>

namespace llmroute::python {

namespace {

py::object dict_of(const std::optional<NodeReport>& report) {
  if (!report) return py::none();
  py::dict out;
  out["running"] = report->load.running;
  out["waiting"] = report->load.waiting;
  out["kv_cache_usage"] = report->load.kv_cache_usage;
  out["max_fds"] = report->load.max_fds;
  out["age_seconds"] = report->age_seconds;
  return std::move(out);
}

py::dict dict_of(const NodeSnapshot& node) {
  py::dict out;
  out["name"] = node.name;
  out["url"] = node.url;
  out["healthy"] = node.healthy;
  out["draining"] = node.draining;
  out["weight"] = node.weight;
  out["capacity"] = node.capacity;
  out["in_flight"] = node.in_flight;
  out["requests"] = node.requests;
  out["failures"] = node.failures;
  out["connect_errors"] = node.connect_errors;
  out["timeout_errors"] = node.timeout_errors;
  out["status_errors"] = node.status_errors;
  out["protocol_errors"] = node.protocol_errors;
  out["latency_ewma_seconds"] = node.latency_ewma_seconds;
  out["first_content_ewma_seconds"] = node.first_content_ewma_seconds;
  out["latency_p50_seconds"] = node.latency_p50_seconds;
  out["latency_p95_seconds"] = node.latency_p95_seconds;
  out["first_content_p50_seconds"] = node.first_content_p50_seconds;
  out["first_content_p95_seconds"] = node.first_content_p95_seconds;
  out["breaker"] = node.breaker;
  out["breaker_opened"] = node.breaker_opened;
  out["breaker_retry_in_seconds"] = node.breaker_retry_in_seconds;
  out["models"] = node.models;
  out["keys"] = node.keys;
  out["keys_resting"] = node.keys_resting;
  out["reported"] = dict_of(node.reported);
  return out;
}

py::dict dict_of(const NodeExplanation& node) {
  py::dict out;
  out["node"] = node.node;
  out["admissible"] = node.admissible;
  out["reason"] = node.reason;
  out["score"] = node.score;
  out["picked"] = node.picked;
  out["keys"] = node.keys;
  out["keys_resting"] = node.keys_resting;
  return out;
}

template <class Rows>
py::list list_of(const Rows& rows) {
  py::list out;
  for (const auto& row : rows) out.append(dict_of(row));
  return out;
}

}  // namespace

py::dict dict_of(const Snapshot& snapshot) {
  py::dict out;
  out["nodes"] = list_of(snapshot.nodes);
  out["models"] = snapshot.models;
  out["queue_depth"] = snapshot.queue_depth;
  out["in_flight"] = snapshot.in_flight;
  return out;
}

py::dict dict_of(const Explanation& explanation) {
  py::dict out;
  out["model"] = explanation.model;
  out["strategy"] = explanation.strategy;
  out["nodes"] = list_of(explanation.nodes);
  return out;
}

}  // namespace llmroute::python

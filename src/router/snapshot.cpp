#include "router/snapshot.hpp"

#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

std::string_view name_of(BreakerState state) noexcept {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "closed";
}

NodeSnapshot describe(NodeStatus status) {
  const Node& node = *status.node;
  const NodeStats& stats = node.stats();
  NodeSnapshot out;
  out.name = node.name();
  out.url = node.config().url;
  out.healthy = status.healthy;
  out.draining = status.draining;
  out.weight = status.weight;
  out.capacity = node.config().load_capacity();
  out.in_flight = stats.in_flight.load(std::memory_order_relaxed);
  out.requests = stats.requests.load(std::memory_order_relaxed);
  out.failures = stats.failures.load(std::memory_order_relaxed);
  out.connect_errors = node.failures(FailureClass::connect);
  out.timeout_errors = node.failures(FailureClass::timeout);
  out.status_errors = node.failures(FailureClass::status);
  out.protocol_errors = node.failures(FailureClass::protocol);
  out.latency_ewma_seconds = stats.latency_seconds.value();
  out.first_content_ewma_seconds = stats.first_content_seconds.value();
  out.breaker = name_of(status.breaker);
  out.breaker_opened = status.breaker_opened;
  out.breaker_retry_in_seconds = seconds(status.breaker_retry_in);
  out.models = std::move(status.models);
  out.keys = static_cast<int>(node.keys().size());
  out.keys_resting = status.keys_resting;
  return out;
}

}  // namespace

Snapshot take_snapshot(RouterCore& core) {
  Snapshot snapshot;
  for (NodeStatus& status : core.pool().snapshot(Clock::now())) {
    snapshot.nodes.push_back(describe(std::move(status)));
  }
  snapshot.models = core.pool().models();
  snapshot.queue_depth = core.queue().depth();
  snapshot.in_flight = core.queue().in_use();
  return snapshot;
}

}  // namespace llmroute::detail

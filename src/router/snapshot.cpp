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

/// A plain call's that names no model.
std::optional<double> score_of(const Strategy& strategy, const NodeStatus& status, Time now) {
  const Node& node = *status.node;
  const NodeView view(node.config(), node.stats(), status.weight);
  return strategy.score(view, PickRequest{}, now);
}

std::optional<double> recent(const Spread& times, double share) {
  const std::optional<Duration> time = times.at(share);
  return time ? std::optional(seconds(*time)) : std::nullopt;
}

NodeSnapshot describe(NodeStatus status, Time now) {
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
  out.latency_p50_seconds = recent(stats.latency_spread, 0.5);
  out.latency_p95_seconds = recent(stats.latency_spread, 0.95);
  out.first_content_p50_seconds = recent(stats.first_content_spread, 0.5);
  out.first_content_p95_seconds = recent(stats.first_content_spread, 0.95);
  out.breaker = name_of(status.breaker);
  out.breaker_opened = status.breaker_opened;
  out.breaker_retry_in_seconds = seconds(status.breaker_retry_in);
  out.models = std::move(status.models);
  out.keys = static_cast<int>(node.keys().size());
  out.keys_resting = status.keys_resting;
  if (status.reported) {
    out.reported = {status.reported->report, seconds(now - status.reported->at)};
  }
  return out;
}

}  // namespace

Snapshot take_snapshot(RouterCore& core) {
  Snapshot snapshot;
  const Time now = Clock::now();
  const std::shared_ptr<const Settings> settings = core.settings();
  const Strategy& strategy = core.strategy(*settings, nullptr);
  for (NodeStatus& status : core.pool().snapshot(now)) {
    const std::optional<double> score = score_of(strategy, status, now);
    snapshot.nodes.push_back(describe(std::move(status), now));
    snapshot.nodes.back().score = score;
  }
  snapshot.models = core.pool().models();
  snapshot.queue_depth = core.queue().depth();
  snapshot.in_flight = core.queue().in_use();
  return snapshot;
}

}  // namespace llmroute::detail

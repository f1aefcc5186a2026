/// The gateway's documents about itself, in their documented shapes.
#include <catch2/catch.hpp>

#include "gateway/info.hpp"

using namespace std::chrono_literals;
using gateway::Health;
using llmroute::NodeSnapshot;
using llmroute::Snapshot;

namespace {

NodeSnapshot node(std::string name) {
  NodeSnapshot one;
  one.url = "http://" + name;
  one.name = std::move(name);
  return one;
}

}  // namespace

TEST_CASE("the health of a fleet", "[gateway][info]") {
  Snapshot snapshot;
  CHECK(gateway::health_of(snapshot) == Health::unavailable);
  snapshot.nodes = {node("a"), node("b"), node("c"), node("d")};
  CHECK(gateway::health_of(snapshot) == Health::ok);
  snapshot.nodes[0].healthy = false;
  snapshot.nodes[1].draining = true;
  snapshot.nodes[2].breaker = "open";
  CHECK(gateway::health_of(snapshot) == Health::degraded);
  CHECK(gateway::usable(snapshot.nodes[3]));
  snapshot.nodes[3].breaker = "open";
  CHECK(gateway::health_of(snapshot) == Health::unavailable);
}

TEST_CASE("GET /health", "[gateway][info]") {
  Snapshot snapshot;
  snapshot.nodes = {node("a\"1")};
  llmroute::Config config;
  config.router.strategy = "p2c";
  config.timeouts.attempt = 1500ms;
  CHECK(
      gateway::health_json(snapshot, config, false) ==
      R"({"status":"ok","router":{"strategy":"p2c","max_retries":2,"node_timeout_seconds":1.5,"health_check_interval_seconds":10}})");
  CHECK_THAT(
      gateway::health_json(snapshot, config, true),
      Catch::EndsWith(
          R"(,"nodes":[{"name":"a\"1","url":"http://a\"1","healthy":true,"in_flight":0}]})"));
}

TEST_CASE("GET /stats", "[gateway][info]") {
  Snapshot snapshot;
  snapshot.queue_depth = 2;
  snapshot.nodes = {node("a"), node("b")};
  snapshot.nodes[0].requests = 5;
  snapshot.nodes[0].latency_ewma_seconds = 0.25;
  snapshot.nodes[0].latency_p50_seconds = 0.2;
  snapshot.nodes[0].latency_p95_seconds = 0.75;
  snapshot.nodes[0].breaker = "open";
  snapshot.nodes[0].breaker_retry_in_seconds = 1.5;
  const std::string json = gateway::stats_json(snapshot, 1.25, 9);
  CHECK_THAT(
      json,
      Catch::StartsWith(
          R"({"uptime_seconds":1.250,"requests":9,"queue_depth":2,"nodes":[{"name":"a","url":"http://a","healthy":true,"draining":false,"weight":1,"in_flight":0,"capacity":1,"requests":5,"failures":0,"latency_ms":{"ewma":250.000,"p50":200.000,"p95":750.000},"ttft_ms":{"ewma":null,"p50":null,"p95":null},"errors":{"connect":0,"timeout":0,"status":0,"protocol":0},"breaker":{"state":"open","opened":0,"retry_in_seconds":1.500},"reported":null,"last_score":null},{"name":"b")"));
}

TEST_CASE("GET /v1/models", "[gateway][info]") {
  Snapshot snapshot;
  CHECK(gateway::models_json(snapshot, 5) == R"({"object":"list","data":[]})");
  snapshot.models = {"a/b", "c"};
  CHECK(
      gateway::models_json(snapshot, 5) ==
      R"({"object":"list","data":[{"id":"a/b","object":"model","created":5,"owned_by":"llmroute"},{"id":"c","object":"model","created":5,"owned_by":"llmroute"}]})");
}

/// GET /load-stats in its documented shape.
#include <catch2/catch.hpp>

#include "gateway/info.hpp"
#include "gateway/load_stats.hpp"

using llmroute::NodeSnapshot;
using llmroute::Snapshot;

namespace {

NodeSnapshot node(std::string url, double capacity) {
  NodeSnapshot one;
  one.name = one.url = std::move(url);
  one.capacity = capacity;
  return one;
}

}  // namespace

TEST_CASE("how full each node is", "[gateway][load]") {
  Snapshot snapshot;
  snapshot.nodes = {node("http://a", 8), node("http://b\"", 2.5), node("http://c", 1)};
  snapshot.nodes[0].in_flight = 1;
  snapshot.nodes[0].reported = {
      {.running = 3, .waiting = 2, .kv_cache_usage = 0.25, .max_fds = 65536}, 1.5};
  snapshot.nodes[1].in_flight = 1;
  snapshot.nodes[1].reported = {{.running = 0}, 0};
  snapshot.nodes[1].healthy = false;
  snapshot.nodes[2].in_flight = 3;
  CHECK(
      gateway::load_stats_json(snapshot) ==
      R"({"servers":[{"url":"http://a","current_load":3,"max_capacity":8,"available_capacity":5,"utilization_percent":37.50,"status":"healthy","detailed_metrics":{"num_requests_running":3,"num_requests_waiting":2,"gpu_cache_usage_perc":0.25,"process_max_fds":65536}},)"
      R"({"url":"http://b\"","current_load":1,"max_capacity":2.5,"available_capacity":1.5,"utilization_percent":40.00,"status":"unhealthy","detailed_metrics":{"num_requests_running":0,"num_requests_waiting":null,"gpu_cache_usage_perc":null,"process_max_fds":null}},)"
      R"({"url":"http://c","current_load":3,"max_capacity":1,"available_capacity":0,"utilization_percent":100.00,"status":"healthy","detailed_metrics":{"num_requests_running":null,"num_requests_waiting":null,"gpu_cache_usage_perc":null,"process_max_fds":null}}],)"
      R"("summary":{"total_servers":3,"healthy_servers":2,"total_active_load":7,"total_capacity":11.5,"overall_utilization_percent":60.87}})");
}

TEST_CASE("a fleet without nodes is not full", "[gateway][load]") {
  CHECK(
      gateway::load_stats_json({}) ==
      R"({"servers":[],"summary":{"total_servers":0,"healthy_servers":0,"total_active_load":0,"total_capacity":0,"overall_utilization_percent":0.00}})");
}

TEST_CASE("what nodes report and the strategy's scores, in GET /stats", "[gateway][load]") {
  Snapshot snapshot;
  snapshot.nodes = {node("http://a", 8), node("http://b", 8)};
  snapshot.nodes[0].reported = {{.running = 3, .kv_cache_usage = 0.5}, 1.25};
  snapshot.nodes[0].score = 1.125;
  snapshot.nodes[1].score = std::numeric_limits<double>::infinity();
  const std::string json = gateway::stats_json(snapshot, 1, 1);
  CHECK_THAT(
      json,
      Catch::Contains(
          R"("reported":{"running":3,"waiting":null,"kv_cache_usage":0.5,"age_seconds":1.250},"last_score":1.125})"));
  CHECK_THAT(json, Catch::Contains(R"("reported":null,"last_score":null})"));
}

/// The page of GET /metrics: its numbers, and the text format's rules.
#include <catch2/catch.hpp>
#include <set>

#include "gateway/metrics.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::Metrics;
using llmroute::AttemptEvent;
using llmroute::ErrorCode;
using llmroute::NodeSnapshot;
using llmroute::Snapshot;

namespace {

Snapshot one_node() {
  NodeSnapshot node;
  node.name = "http://a:1";
  node.in_flight = 3;
  node.requests = 11;
  node.connect_errors = 1;
  node.timeout_errors = 2;
  node.status_errors = 4;
  node.protocol_errors = 5;
  Snapshot snapshot;
  snapshot.nodes.push_back(node);
  snapshot.queue_depth = 6;
  return snapshot;
}

AttemptEvent attempt(std::optional<ErrorCode> error, int status = 0) {
  AttemptEvent event;
  event.node = "http://a:1";
  event.error = error;
  event.http_status = status;
  return event;
}

/// What a scraper refuses: samples without TYPE, the same sample twice, a name that begins again
/// later.
void check_page(const std::string& page) {
  std::set<std::string> seen;
  std::set<std::string> families;
  std::string family;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = page.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      CHECK(families.insert(family).second);
    } else if (line.starts_with("# TYPE ")) {
      CHECK(line.substr(7, line.find(' ', 7) - 7) == family);
    } else {
      CHECK(line.starts_with(family));
      CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
    }
  }
  CHECK(families.size() == 8);
}

}  // namespace

TEST_CASE("the metrics page", "[gateway][metrics]") {
  Metrics metrics;
  metrics.know({"known", "quo\"te"});

  SECTION("has all eight families before the first request") {
    const std::string page = metrics.text({});
    check_page(page);
    CHECK_THAT(page, Contains("queue_depth 0\n"));
    CHECK_THAT(page, Contains("requests_rejected_total{reason=\"draining\"} 0\n"));
  }

  SECTION("counts requests by what the caller saw") {
    metrics.request_ended("known", 200, false, 30ms);
    metrics.request_ended("known", 200, false, 40ms);
    metrics.request_ended("known", 200, true, 700s);
    metrics.request_ended("known", 429, false, 1ms);
    metrics.request_ended("known", 404, false, 1ms);
    metrics.request_ended("known", 503, true, 1ms);
    metrics.request_ended("quo\"te", 499, true, 1ms);
    const std::string page = metrics.text(one_node());
    check_page(page);
    CHECK_THAT(page,
               Contains("requests_total{model=\"known\",status=\"2xx\",stream=\"false\"} 2\n"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"known\",status=\"2xx\",stream=\"true\"} 1\n"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"known\",status=\"429\",stream=\"false\"} 1\n"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"known\",status=\"4xx\",stream=\"false\"} 1\n"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"known\",status=\"5xx\",stream=\"true\"} 1\n"));
    CHECK_THAT(
        page,
        Contains("requests_total{model=\"quo\\\"te\",status=\"cancelled\",stream=\"true\"} 1\n"));
    CHECK_THAT(
        page,
        Contains(
            "request_latency_seconds_bucket{model=\"known\",stream=\"false\",le=\"0.025\"} 2\n"));
    CHECK_THAT(
        page,
        Contains(
            "request_latency_seconds_bucket{model=\"known\",stream=\"false\",le=\"0.05\"} 4\n"));
    CHECK_THAT(
        page,
        Contains("request_latency_seconds_bucket{model=\"known\",stream=\"true\",le=\"600\"} 1\n"));
    CHECK_THAT(
        page,
        Contains(
            "request_latency_seconds_bucket{model=\"known\",stream=\"true\",le=\"+Inf\"} 2\n"));
    CHECK_THAT(page,
               Contains("request_latency_seconds_count{model=\"known\",stream=\"false\"} 4\n"));
    CHECK_THAT(page,
               Contains("request_latency_seconds_sum{model=\"known\",stream=\"false\"} 0.072\n"));
    CHECK(metrics.requests() == 7);
  }

  SECTION("learns a model from a node's answer, never from a caller's wish") {
    metrics.request_ended("wished", 404, false, 1ms);
    metrics.request_ended("served", 200, false, 1ms);
    metrics.request_ended("served", 500, false, 1ms);
    metrics.request_ended("other", 200, false, 1ms);
    const std::string page = metrics.text({});
    check_page(page);
    CHECK_THAT(page, !Contains("wished"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"other\",status=\"4xx\",stream=\"false\"} 1\n"));
    CHECK_THAT(page,
               Contains("requests_total{model=\"served\",status=\"5xx\",stream=\"false\"} 1\n"));
  }

  SECTION("learns a hundred models and no more") {
    for (int i = 0; i < 150; ++i) metrics.request_ended("m" + std::to_string(i), 200, false, 1ms);
    CHECK_THAT(metrics.text({}),
               Contains("requests_total{model=\"other\",status=\"2xx\",stream=\"false\"} 50\n"));
  }

  SECTION("tells nodes and their failures apart") {
    metrics.on_attempt(attempt(ErrorCode::upstream_error, 503));
    metrics.on_attempt(attempt(ErrorCode::upstream_error, 503));
    metrics.on_attempt(attempt(ErrorCode::connect_failed));
    metrics.on_attempt(attempt(ErrorCode::cancelled));
    metrics.on_attempt(attempt(std::nullopt, 200));
    const std::string page = metrics.text(one_node());
    check_page(page);
    CHECK_THAT(page, Contains("requests_per_node_total{node=\"http://a:1\"} 11\n"));
    CHECK_THAT(page, Contains("node_active_requests{node=\"http://a:1\"} 3\n"));
    CHECK_THAT(page, Contains("node_failures_total{node=\"http://a:1\",kind=\"connect\"} 1\n"));
    CHECK_THAT(page, Contains("node_failures_total{node=\"http://a:1\",kind=\"protocol\"} 5\n"));
    CHECK_THAT(page, Contains("upstream_errors_total{node=\"http://a:1\",code=\"503\"} 2\n"));
    CHECK_THAT(page,
               Contains("upstream_errors_total{node=\"http://a:1\",code=\"connect_failed\"} 1\n"));
    CHECK_THAT(page, !Contains("cancelled"));
    CHECK_THAT(page, Contains("queue_depth 6\n"));
  }

  SECTION("counts what was turned away, by reason") {
    metrics.rejected(gateway::Rejection::queue_full);
    metrics.rejected(gateway::Rejection::no_node);
    metrics.rejected(gateway::Rejection::no_node);
    CHECK_THAT(metrics.text({}), Contains("requests_rejected_total{reason=\"queue_full\"} 1\n") &&
                                     Contains("requests_rejected_total{reason=\"no_node\"} 2\n"));
  }
}

TEST_CASE("a label's value is escaped", "[gateway][metrics]") {
  CHECK(gateway::label_value("a\"b\\c\nd") == "a\\\"b\\\\c\\nd");
}

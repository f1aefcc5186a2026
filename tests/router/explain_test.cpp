// What explain() says of each node, and that asking it changes nothing.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

const NodeExplanation& node(const Explanation& explanation, const std::string& name) {
  for (const NodeExplanation& one : explanation.nodes) {
    if (one.node == name) return one;
  }
  FAIL("no node " << name);
  return explanation.nodes.front();
}

}  // namespace

TEST_CASE("a pick is explained", "[router][explain]") {
  ScriptedUpstream good(answer(200, chat_completion("x")));
  const std::string refused = "http://127.0.0.1:" + std::to_string(refused_port());
  Config config = config_for({refused, good.url(), good.url(), good.url()});
  config.nodes[2].models = {"other"};
  config.breaker.consecutive_failures = 1;
  Router router(config);
  REQUIRE(router.route_chat(hello));
  REQUIRE(router.drain_node("n4", true));
  const auto requests = router.snapshot().nodes[1].requests;

  const Result<Explanation> explanation = router.explain({.body = hello});
  REQUIRE(explanation);
  CHECK(explanation->model == "m");
  CHECK(explanation->strategy == "priority");
  REQUIRE(explanation->nodes.size() == 4);
  CHECK(node(*explanation, "n1").reason == "its breaker is open");
  CHECK_FALSE(node(*explanation, "n1").admissible);
  CHECK(node(*explanation, "n2").admissible);
  CHECK(node(*explanation, "n2").reason.empty());
  CHECK(node(*explanation, "n2").picked);
  CHECK(node(*explanation, "n2").score == 2.0);
  CHECK(node(*explanation, "n3").reason == "does not serve the model");
  CHECK(node(*explanation, "n4").reason == "draining");
  CHECK(router.snapshot().nodes[1].requests == requests);
  CHECK(router.snapshot().nodes[1].in_flight == 0);
}

TEST_CASE("other reasons not to be asked", "[router][explain]") {
  const auto reason_after = [](const Script& script, Config config) {
    ScriptedUpstream bad(script);
    config.nodes = config_of(bad).nodes;
    Router router(config);
    (void)router.route_chat(hello);
    return router.explain({.body = hello})->nodes[0].reason;
  };
  Config config;
  config.router.max_retries = 0;
  CHECK(reason_after(answer(401, "{}"), config) == "its key rests");
  CHECK(reason_after(answer(404, R"({"error":{"code":"model_not_found"}})"), config) == "");
  config.breaker.consecutive_failures = 1;
  CHECK(reason_after(answer(500, "{}"), config) == "its breaker for the model is open");
}

TEST_CASE("a node at its cap is not picked", "[router][explain]") {
  ScriptedUpstream node_at_cap(Script().hang());
  Config config = config_of(node_at_cap);
  config.nodes[0].max_concurrent_requests = 1;
  config.router.strategy =
      GENERATE("p2c", "least_loaded", "latency_based", "peak_ewma", "round_robin");
  Router router(config);
  {
    const Result<Explanation> before = router.explain({.body = R"({"messages":[]})"});
    REQUIRE(before);
    CHECK(before->model == "m");  // the only one there is
    CHECK(before->nodes[0].picked);
    CHECK(before->nodes[0].score.has_value() == (config.router.strategy != "round_robin"));
  }
  Call call = router.start({.body = hello}, {.on_done = [](Result<Reply>) {}});
  REQUIRE(node_at_cap.wait_for_requests(1));
  const Result<Explanation> during = router.explain({.body = hello});
  CHECK(during->nodes[0].reason == "at max_concurrent_requests");
  CHECK_FALSE(during->nodes[0].picked);
}

TEST_CASE("a strategy of the caller's own need not tell a score", "[router][explain]") {
  struct First final : Strategy {
    NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext&) override {
      return NodeIndex{0};
    }
  };
  ScriptedUpstream any(answer(200, "{}"));
  Router router(config_of(any));
  router.use(std::make_shared<First>());
  const Result<Explanation> explanation = router.explain({.body = hello});
  CHECK(explanation->nodes[0].picked);
  CHECK_FALSE(explanation->nodes[0].score);
}

TEST_CASE("what cannot be explained", "[router][explain]") {
  ScriptedUpstream any(answer(200, "{}"));
  Router router(config_of(any));
  CHECK(router.explain({.body = "nonsense"}).error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(router.explain({.body = R"({"model":"nobody's"})"})->nodes[0].admissible);
}

// No node is left: answers come at once, nodes are hardly asked, and the first one back is used.
#include <algorithm>
#include <atomic>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

using SteadyClock = std::chrono::steady_clock;

/// Three nodes, each of which can be taken down and up.
struct Three {
  ScriptedUpstream one{answer(200, chat_completion("hello"))};
  ScriptedUpstream two{answer(200, chat_completion("hello"))};
  ScriptedUpstream three{answer(200, chat_completion("hello"))};

  Config config() const {
    Config config = config_of(one, two, three);
    config.breaker.open = 300ms;
    config.breaker.max_open = 300ms;
    return config;
  }
};

/// How often nodes were asked, reached or not.
struct Attempts : Observer {
  void on_attempt(const AttemptEvent&) override { ++count; }
  std::atomic<int> count{0};
};

bool all_open(const Router& router) {
  const std::vector<NodeSnapshot> nodes = router.snapshot().nodes;
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const NodeSnapshot& node) { return node.breaker == "open"; });
}

void call_until_all_open(Router& router) {
  for (int i = 0; i < 100 && !all_open(router); ++i) CHECK_FALSE(router.route_chat(hello));
  REQUIRE(all_open(router));
}

}  // namespace

TEST_CASE("with every node down", "[faults][down]") {
  Three nodes;
  for (ScriptedUpstream* node : {&nodes.one, &nodes.two, &nodes.three}) node->refuse();

  SECTION("a call is refused at once when the circuits are open") {
    Config config = nodes.config();
    config.breaker.open = config.breaker.max_open = 60s;
    Router router(config);
    auto attempts = std::make_shared<Attempts>();
    router.use(attempts);
    call_until_all_open(router);
    CHECK(attempts->count <= 3 * config.breaker.consecutive_failures);
    for (int i = 0; i < 50; ++i) {
      const auto begun = SteadyClock::now();
      const Result<Reply> reply = router.route_chat(hello);
      CHECK(SteadyClock::now() - begun < 50ms);
      REQUIRE_FALSE(reply);
      CHECK(reply.error().code == ErrorCode::no_healthy_node);
      CHECK(reply.error().attempts.empty());
      CHECK(reply.error().retry_after.has_value());
    }
    const auto begun = SteadyClock::now();
    CHECK_FALSE(router.stream({.body = hello}));
    CHECK(SteadyClock::now() - begun < 50ms);
    CHECK(router.snapshot().in_flight == 0);
  }
}

TEST_CASE("nodes that fail are not buried under retries", "[faults][down]") {
  // Circuits that never open, so that the budget alone holds the attempts down.
  ScriptedUpstream one(answer(503, "{}"));
  ScriptedUpstream two(answer(503, "{}"));
  ScriptedUpstream three(answer(503, "{}"));
  const bool streamed = GENERATE(false, true);
  Config config = config_of(one, two, three);
  config.breaker.consecutive_failures = 0;
  config.breaker.failure_rate = 0;
  config.router.retry_floor = 0;
  auto attempts = std::make_shared<Attempts>();
  Router router(config);
  router.use(attempts);
  constexpr int calls = 200;
  constexpr int bucket = 10;
  for (int i = 0; i < calls; ++i) {
    if (streamed) {
      CHECK_FALSE(router.stream({.body = hello}));
    } else {
      CHECK_FALSE(router.route_chat(hello));
    }
  }
  const int seen = one.request_count() + two.request_count() + three.request_count();
  CHECK(seen >= calls + bucket);
  CHECK(seen <= calls * 12 / 10 + bucket);
  CHECK(attempts->count == seen);
}

TEST_CASE("the first node that comes back is used", "[faults][down]") {
  Three nodes;
  Config config = nodes.config();
  SECTION("after a circuit's open time") {}
  SECTION("after a probe, however long circuits would stay open") {
    config.breaker.open = config.breaker.max_open = 60s;
    config.health.active = true;
    config.health.interval = 200ms;
    config.health.timeout = 200ms;
    config.health.healthy_threshold = 1;
    config.health.unhealthy_threshold = 1;
  }
  for (ScriptedUpstream* node : {&nodes.one, &nodes.two, &nodes.three}) node->refuse();
  Router router(config);
  call_until_all_open(router);
  CHECK_FALSE(router.route_chat(hello));

  nodes.two.listen_again();
  const auto back = SteadyClock::now();
  Result<Reply> reply = router.route_chat(hello);
  // Callers keep asking, as they do; an answer is all that is waited for.
  while (!reply && SteadyClock::now() - back < 10s) reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->node == "n2");
  // The open time is 300 ms and a probe comes every 200 ms; the rest is for a busy machine.
  CHECK(SteadyClock::now() - back < 300ms + 500ms);
  CHECK(router.snapshot().in_flight == 0);
}

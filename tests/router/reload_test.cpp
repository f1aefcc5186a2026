// Another configuration while calls run.
#include <atomic>
#include <thread>

#include "router/started_call.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

using Names = std::vector<std::string>;

/// A stream for who asks for one, else a whole answer.
Script either(const SeenRequest& request) {
  if (request.body.find(R"("stream":true)") == std::string::npos) {
    return answer(200, chat_completion("x"));
  }
  return event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()});
}

bool reads_whole_stream(Router& router) {
  Result<Stream> stream = router.stream({.body = hello});
  return stream && !collect(*stream).error;
}

Config without_node(Config config, std::string_view name) {
  std::erase_if(config.nodes, [&](const NodeConfig& node) { return node.name == name; });
  return config;
}

}  // namespace

TEST_CASE("a reload brings nodes and models, and takes others away", "[router][reload]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  Router router(without_node(config, "n2"));
  REQUIRE(router.route_chat(hello)->node == "n1");
  config.models.push_back({.name = "mine", .model_id = "m", .default_params = R"({"top_p":1})"});
  CHECK(router.reload(without_node(config, "n1")).value().empty());
  CHECK(router.route_chat(hello)->node == "n2");
  REQUIRE(router.route_chat(R"({"model":"mine"})"));
  CHECK(second.requests().back().body == R"({"top_p":1,"model":"m"})");
  CHECK(router.config().models.size() == 1);
  CHECK(router.snapshot().nodes.size() == 1);
  config.models.clear();
  REQUIRE(router.reload(config));
  CHECK(router.route_chat(R"({"model":"mine"})").error().code == ErrorCode::model_not_found);
  CHECK(router.route_chat(hello)->node == "n1");
}

TEST_CASE("a reload keeps what is known of nodes that stay", "[router][reload]") {
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Config config = config_of(bad, good);
  config.breaker.consecutive_failures = 1;
  config.breaker.open = 1h;
  Router router(config);
  REQUIRE(router.route_chat(hello)->node == "n2");
  const double latency = router.snapshot().nodes[1].latency_ewma_seconds;
  REQUIRE(latency > 0);
  config.nodes[0].weight = 5;
  config.nodes[1].labels["zone"] = "a";
  REQUIRE(router.reload(config));
  CHECK(router.snapshot().nodes[0].breaker == "open");
  CHECK(router.snapshot().nodes[0].weight == 5);
  CHECK(router.snapshot().nodes[1].latency_ewma_seconds == latency);
  CHECK(router.snapshot().nodes[1].latency_p50_seconds.value() == Approx(latency).epsilon(0.05));
  CHECK(router.snapshot().nodes[1].latency_p95_seconds.value() == Approx(latency).epsilon(0.05));
  CHECK_FALSE(router.snapshot().nodes[1].first_content_p50_seconds);
  CHECK_FALSE(router.snapshot().nodes[0].latency_p50_seconds);
  CHECK(router.snapshot().nodes[1].requests == 1);
  REQUIRE(router.route_chat(hello)->node == "n2");
  CHECK(bad.request_count() == 1);
  CHECK(good.connections() == 1);
}

TEST_CASE("a stream on a node that is taken away comes to its end", "[router][reload]") {
  Gate gate;
  ScriptedUpstream first(event_stream({chat_chunk("a")}, Ending::open)
                             .wait(gate)
                             .send(chunk(chat_chunk("b") + chat_finish() + done()) + chunk("")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  const Config config = config_of(first, second);
  Router router(config);
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  REQUIRE(router.reload(without_node(config, "n1")));
  CHECK(router.route_chat(hello)->node == "n2");
  gate.open();
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  CHECK(all.raw == chat_chunk("a") + chat_chunk("b") + chat_finish());
  CHECK(stream->reply().node == "n1");
}

TEST_CASE("a configuration with a fault changes nothing", "[router][reload]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const Config config = config_of(node);
  Router router(config);
  Config bad = config;
  bad.timeouts.total = 1ms;
  bad.nodes.push_back({.name = "n2", .url = "gpu-2:8000"});
  const Result<Names> result = router.reload(bad);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::invalid_config);
  CHECK(result.error().param == "nodes[1].url");
  CHECK(router.snapshot().nodes.size() == 1);
  CHECK(router.config().timeouts.total == config.timeouts.total);
  CHECK(router.route_chat(hello));
}

TEST_CASE("a reload says what holds from the next start only", "[router][reload]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  Router router(config);
  CHECK(router.reload(config).value() == Names{});
  config.router.max_retries = 9;
  config.router.strategy = "round_robin";
  config.router.seed = 8;
  config.router.all_down = AllDown::wait;
  config.router.retry_budget = 0.5;
  config.router.retry_floor = 2;
  config.router.unlisted_models = UnlistedModels::refuse;
  config.timeouts.attempt = 9s;
  config.backpressure.max_queue_size = 3;
  config.health.interval = 3s;
  config.breaker.open = 3s;
  config.hedge.max_share = 0.5;
  config.limits.default_rpm = 5;
  CHECK(router.reload(config).value() ==
        Names{"router.unlisted_models", "router.retry_budget", "router.retry_floor",
              "router.all_down", "router.seed", "backpressure", "health", "breaker", "hedge"});
  const Config now = router.config();
  CHECK(now.router.max_retries == 9);
  CHECK(now.router.strategy == "round_robin");
  CHECK(now.router.seed == 7);
  CHECK(now.timeouts.attempt == 9s);
  CHECK(now.health.interval == 10s);
  CHECK(now.limits.default_rpm == 5);
}

TEST_CASE("settings of single calls hold for those that begin after a reload", "[router][reload]") {
  Gate gate;
  ScriptedUpstream first(first_held(gate));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.router.default_model = "m";
  Router router(config);
  Started before(router);
  REQUIRE(first.wait_for_requests(1));
  config.router.default_model = "zz";
  config.router.strategy = "round_robin";
  config.timeouts.total = 1ms;
  REQUIRE(router.reload(config));
  CHECK(router.route_chat("{}").error().code == ErrorCode::model_not_found);
  const CallOptions long_enough{.deadline = 20s};
  int by_second = 0;
  for (int i = 0; i < 4; ++i) {
    const Result<Reply> reply = router.route({.body = hello, .options = long_enough});
    REQUIRE(reply);
    by_second += reply->node == "n2" ? 1 : 0;
  }
  CHECK(by_second == 2);
  gate.open();
  CHECK(before.wait());  // its deadline is of before
}

TEST_CASE("a strategy goes on where it is", "[router][reload]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.router.strategy = "round_robin";
  config.models.push_back({.name = "mine", .model_id = "m", .strategy = "round_robin"});
  const std::string_view body = GENERATE(false, true) ? hello : R"({"model":"mine"})";
  Router router(config);
  const std::string before = router.route_chat(body)->node;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(router.reload(config));
    CHECK(router.route_chat(body)->node == (before == "n1" ? "n2" : "n1"));
    REQUIRE(router.reload(config));
    CHECK(router.route_chat(body)->node == before);
  }
}

TEST_CASE("the caller's own strategy stays over a reload", "[router][reload]") {
  struct Last final : Strategy {
    NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext&) override {
      return NodeIndex{static_cast<std::uint32_t>(nodes.size() - 1)};
    }
  };
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  Router router(config);
  router.use(std::make_shared<Last>());
  config.router.strategy = "round_robin";
  REQUIRE(router.reload(config));
  for (int i = 0; i < 3; ++i) CHECK(router.route_chat(hello)->node == "n2");
}

TEST_CASE("a call that waits for a node looks again after a reload", "[router][reload]") {
  Gate gate;
  ScriptedUpstream first(first_held(gate));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.nodes[0].max_concurrent_requests = 1;
  Router router(without_node(config, "n2"));
  Started holding(router);
  REQUIRE(first.wait_for_requests(1));
  Started waiting(router);
  wait_for_queue(router, 1);
  SECTION("for a node that has come") {
    REQUIRE(router.reload(config));
    CHECK(waiting.wait()->node == "n2");
  }
  SECTION("for one that was added") {
    REQUIRE(router.add_node(config.nodes[1]));
    CHECK(waiting.wait()->node == "n2");
  }
  SECTION("for one whose cap has gone") {
    config.nodes[0].max_concurrent_requests = 0;
    REQUIRE(router.reload(without_node(config, "n2")));
    CHECK(waiting.wait()->node == "n1");
  }
  gate.open();
  CHECK(holding.wait());
}

TEST_CASE("a call from before a cap frees a slot of it", "[router][reload]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
  Config config = config_of(node);
  Router router(config);
  Started before(router);
  REQUIRE(node.wait_for_requests(1));
  config.nodes[0].max_concurrent_requests = 1;
  REQUIRE(router.reload(config));
  Started after(router);
  wait_for_queue(router, 1);
  gate.open();
  CHECK(before.wait());
  CHECK(after.wait());
}

TEST_CASE("a call that waits still has the model it asked for", "[router][reload]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
  ScriptedUpstream other(answer(200, chat_completion("x")));
  Config config = config_of(node);
  const bool by_permit = GENERATE(true, false);
  if (by_permit) {
    config.backpressure.max_concurrent_requests = 1;
  } else {
    config.nodes[0].max_concurrent_requests = 1;
  }
  config.models.push_back({.name = "mine", .model_id = "m", .default_params = R"({"top_p":1})"});
  Router router(config);
  Started holding(router, {.body = R"({"model":"mine"})"});
  REQUIRE(node.wait_for_requests(1));
  Started waiting(router, {.body = R"({"model":"mine"})"});
  wait_for_queue(router, 1);
  SECTION("when it is gone") { config.models.clear(); }
  SECTION("when it is another") {
    config.models[0].model_id = "other";
    config.models[0].default_params.clear();
  }
  SECTION("when its node is gone") {
    config.models.clear();
    config.nodes[0] = {.name = "n9", .url = other.url(), .models = {"other"}};
  }
  REQUIRE(router.reload(config));
  gate.open();
  CHECK(holding.wait());
  REQUIRE(waiting.wait());
  CHECK(waiting.wait()->node == "n1");
  CHECK(node.requests().back().body == R"({"top_p":1,"model":"m"})");
}

TEST_CASE("a call whose nodes have gone is answered by those of now", "[router][reload]") {
  Gate gate;
  ScriptedUpstream gone(Script().wait(gate).reset());
  ScriptedUpstream now(answer(200, chat_completion("x")));
  Config config = config_of(gone);
  config.models.push_back({.name = "mine", .model_id = "m"});
  Router router(config);
  Started call(router, {.body = R"({"model":"mine"})"});
  REQUIRE(gone.wait_for_requests(1));
  config.models[0].default_params = R"({"top_p":1})";
  config.nodes[0].name = "n2";
  config.nodes[0].url = now.url();
  REQUIRE(router.reload(config));
  gone.stop_listening();
  gate.open();
  REQUIRE(call.wait());
  CHECK(call.wait()->node == "n2");
}

TEST_CASE("a reload to several nodes asks them for their models", "[router][reload]") {
  const auto with_models = [](const std::string& model) {
    return [model](const SeenRequest& request) {
      return answer(200, request.method == "GET"
                             ? R"({"object":"list","data":[{"id":")" + model + R"("}]})"
                             : chat_completion("x", model));
    };
  };
  ScriptedUpstream first(with_models("a"));
  ScriptedUpstream second(with_models("b"));
  Config config = config_of(first, second);
  for (NodeConfig& node : config.nodes) node.models.clear();
  Router router(without_node(config, "n2"));
  REQUIRE(router.route_chat(hello));
  REQUIRE(router.reload(config));
  REQUIRE(router.route_chat(hello));
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (router.snapshot().models != Names{"a", "b"} && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  CHECK(router.snapshot().models == Names{"a", "b"});
}

TEST_CASE("under load no call is lost to reloads", "[router][reload]") {
  ScriptedUpstream first(either);
  ScriptedUpstream second(either);
  Config base = config_of(first, second);
  base.router.strategy = "round_robin";
  base.models.push_back({.name = "mine", .model_id = "m"});
  Router router(base);
  std::atomic<bool> over{false};
  std::atomic<int> done{0};
  std::atomic<int> lost{0};
  const auto call = [&](std::string_view body) {
    while (!over.load()) {
      ++(router.route_chat(body) ? done : lost);
    }
  };
  std::thread plain(call, hello);
  std::thread aliased(call, R"({"model":"mine"})");
  std::thread streams([&] {
    while (!over.load()) ++(reads_whole_stream(router) ? done : lost);
  });
  Rng rng(11);
  for (int i = 0; i < 200; ++i) {
    Config next = base;
    if (rng() % 2 == 0) next.nodes.erase(next.nodes.begin() + static_cast<long>(rng() % 2));
    if (rng() % 3 == 0) next.nodes[0].name = "renamed";
    if (rng() % 3 == 0) next.nodes[0].max_concurrent_requests = 1 + static_cast<int>(rng() % 2);
    if (rng() % 2 == 0) next.models[0].default_params = R"({"top_p":1})";
    if (rng() % 4 == 0) next.models[0].strategy = "p2c";
    next.router.max_retries = static_cast<int>(rng() % 4);
    REQUIRE(router.reload(next));
    for (const int seen = done.load(); done.load() < seen + 3;) std::this_thread::yield();
  }
  over = true;
  plain.join();
  aliased.join();
  streams.join();
  CHECK(lost == 0);
  CHECK(done > 600);
}

/// Nodes that come, rest and go while the router runs; strategies of the caller's own.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("nodes of a running router", "[router][members]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Router router(config_of(first));
  REQUIRE(router.route_chat(hello)->node == "n1");
  const NodeConfig n2{.name = "n2", .url = second.url(), .models = {"m"}, .priority = 2};
  REQUIRE(router.add_node(n2));

  SECTION("are listed") {
    REQUIRE(router.snapshot().nodes.size() == 2);
    CHECK(router.snapshot().nodes[1].name == "n2");
    CHECK(router.config().nodes.size() == 1);  // what it was made with
  }
  SECTION("are asked no more once they drain, and again afterwards") {
    REQUIRE(router.drain_node("n1", true));
    CHECK(router.snapshot().nodes[0].draining);
    CHECK(router.route_chat(hello)->node == "n2");
    REQUIRE(router.drain_node("n1", false));
    CHECK(router.route_chat(hello)->node == "n1");
  }
  SECTION("are gone once removed") {
    REQUIRE(router.remove_node("n1"));
    CHECK(router.route_chat(hello)->node == "n2");
    CHECK(router.snapshot().nodes.size() == 1);
  }
  SECTION("go by their new configuration once updated, and keep what is known of them") {
    NodeConfig n1{.name = "n1", .url = second.url(), .models = {"m"}, .priority = 1};
    REQUIRE(router.update_node(n1));
    CHECK(router.route_chat(hello)->node == "n1");
    CHECK(second.request_count() == 1);
    CHECK(router.snapshot().nodes[0].url == second.url());
    CHECK(router.snapshot().nodes[0].requests == 2);
    n1.name = "n3";
    CHECK_THAT(router.update_node(n1).error().message, Catch::Contains("n3"));
    n1.url = "gpu-1:8000";
    CHECK(router.update_node(n1).error().code == ErrorCode::invalid_config);
  }
  SECTION("must have names of their own") {
    const Result<void> again = router.add_node(n2);
    REQUIRE_FALSE(again);
    CHECK_THAT(again.error().message, Catch::Contains("n2"));
  }
  SECTION("must be there to be removed or drained") {
    CHECK_THAT(router.remove_node("n3").error().message, Catch::Contains("n3"));
    CHECK_THAT(router.drain_node("n3", true).error().message, Catch::Contains("n3"));
  }
  SECTION("are checked like those of a configuration") {
    const Result<void> bad = router.add_node({.name = "n3", .url = "gpu-3:8000"});
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == ErrorCode::invalid_config);
  }
}

TEST_CASE("a strategy of the caller's own", "[router][members]") {
  struct Last final : Strategy {
    NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext&) override {
      return NodeIndex{static_cast<std::uint32_t>(nodes.size() - 1)};
    }
  };
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Router router(config_of(first, second));
  router.use(std::make_shared<Last>());
  CHECK(router.route_chat(hello)->node == "n2");
}

TEST_CASE("a router that is moved into goes on as the other", "[router][members]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  Config config = config_of(first);
  config.router.seed = 0;  // from the system
  Router router(config_for({"http://127.0.0.1:" + std::to_string(refused_port())}));
  router = Router(config);
  CHECK(router.route_chat(hello)->node == "n1");
}

TEST_CASE("a call that is moved into cancels what it was", "[router][members]") {
  ScriptedUpstream silent(Script().hang());
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Router router(config_of(silent));
  Router other(config_of(good));
  std::optional<Result<Reply>> reply;
  Call call = router.start({.body = hello}, {.on_done = [](Result<Reply>) {}});
  REQUIRE(silent.wait_for_requests(1));
  call = other.start({.body = hello},
                     {.on_done = [&](Result<Reply> r) { reply.emplace(std::move(r)); }});
  CHECK(silent.wait_for_gone(1));
  call.wait();
  REQUIRE(reply);
  CHECK(reply->has_value());
}

TEST_CASE("a node without the model behind an alias is passed over", "[router][members]") {
  const auto node_that = [](Script chat) {
    return [chat](const SeenRequest& request) {
      return request.method == "GET" ? answer(404, "{}") : chat;
    };
  };
  const std::string absent =
      R"({"error":{"message":"no such model","type":"NotFoundError","code":"model_not_found"}})";
  ScriptedUpstream without(node_that(answer(404, absent)));
  ScriptedUpstream with(node_that(answer(200, chat_completion("x", "id-1"))));
  Config config = config_of(without, with);
  for (NodeConfig& node : config.nodes) node.models.clear();  // known by the alias alone
  config.models.push_back({.name = "m", .model_id = "id-1"});
  Router router(config);
  const Result<Reply> first = router.route_chat(hello);
  REQUIRE(first);
  CHECK(nodes_asked(first->attempts) == std::vector<std::string>{"n1", "n2"});
  const Result<Reply> second = router.route_chat(hello);
  REQUIRE(second);
  CHECK(nodes_asked(second->attempts) == std::vector<std::string>{"n2"});
}

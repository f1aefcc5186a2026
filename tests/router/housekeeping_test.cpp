/// What the router does by itself: probes, and asking nodes what they serve.
#include <poll.h>

#include <optional>
#include <thread>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// Does something when a node is found out to be away.
struct OnAway final : Observer {
  explicit OnAway(std::function<void()> what) : act(std::move(what)) {}
  void on_node(const NodeEvent& event) override {
    if (event.kind == NodeEvent::Kind::unhealthy && act) std::exchange(act, nullptr)();
  }
  std::function<void()> act;
};

/// Serves model `name`, and lives as long as `healthy`.
ScriptedUpstream::Handler server_of(std::string name, std::shared_ptr<std::atomic<bool>> healthy) {
  return [name = std::move(name), healthy](const SeenRequest& request) {
    if (request.target == "/health") return answer(*healthy ? 200 : 503, "");
    if (request.target == "/v1/models") {
      return answer(200, R"({"object":"list","data":[{"id":")" + name + R"("}]})");
    }
    return answer(200, chat_completion("x", name));
  };
}

template <class Done>
bool eventually(Done&& holds, const std::function<void()>& meanwhile) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    meanwhile();
  }
  return true;
}

Config two_nodes(const ScriptedUpstream& a, const ScriptedUpstream& b) {
  Config config = config_of(a, b);
  for (NodeConfig& node : config.nodes) node.models.clear();
  config.health.active = true;
  config.health.interval = 10ms;
  config.health.healthy_threshold = 1;
  config.health.unhealthy_threshold = 2;
  return config;
}

}  // namespace

TEST_CASE("probes take a node out and bring it back", "[router][housekeeping]") {
  const auto a_healthy = std::make_shared<std::atomic<bool>>(true);
  const auto b_healthy = std::make_shared<std::atomic<bool>>(true);
  ScriptedUpstream a(server_of("m", a_healthy));
  ScriptedUpstream b(server_of("m", b_healthy));
  Router router(two_nodes(a, b));
  const auto a_is = [&](bool healthy) {
    return [&router, healthy] { return router.snapshot().nodes[0].healthy == healthy; };
  };

  SECTION("on a thread of the router's") {
    const auto call = [&] { REQUIRE(router.route_chat(hello)); };
    call();
    *a_healthy = false;
    CHECK(eventually(a_is(false), call));
    CHECK(router.route_chat(hello)->node == "n2");
    *a_healthy = true;
    CHECK(eventually(a_is(true), call));
  }
  SECTION("on the application's loop") {
    EventLoop loop;
    router.maintain(loop);
    const auto turn = [&] {
      pollfd ready{loop.fd(), POLLIN, 0};
      poll(&ready, 1, 1000);
      loop.run_ready();
    };
    *a_healthy = false;
    CHECK(eventually(a_is(false), turn));
    *a_healthy = true;
    CHECK(eventually(a_is(true), turn));
    REQUIRE(router.remove_node("n1"));
    const int asked = a.request_count();
    const int others = b.request_count();
    CHECK(eventually([&] { return b.request_count() > others + 3; }, turn));
    CHECK(a.request_count() <= asked + 1);  // one may have been on its way
  }
}

TEST_CASE("who hears of a node may drop the router", "[router][housekeeping]") {
  const auto healthy = std::make_shared<std::atomic<bool>>(true);
  ScriptedUpstream a(server_of("m", healthy));
  ScriptedUpstream b(server_of("m", healthy));
  std::optional<Router> router(std::in_place, two_nodes(a, b));
  std::atomic<bool> dropped{false};
  std::atomic<int> heard{0};
  router->use(std::make_shared<OnAway>([&] {
    router.reset();
    dropped = true;
  }));
  router->use(std::make_shared<OnAway>([&] { ++heard; }));

  SECTION("on a thread of the router's") {
    REQUIRE(router->route_chat(hello));
    *healthy = false;
    CHECK(eventually([&] { return dropped.load(); }, [] { std::this_thread::yield(); }));
    CHECK(eventually([&] { return heard == 1; }, [] { std::this_thread::yield(); }));
  }
  SECTION("on the application's loop") {
    EventLoop loop;
    router->maintain(loop);
    *healthy = false;
    CHECK(eventually([&] { return dropped.load(); },
                     [&] {
                       pollfd ready{loop.fd(), POLLIN, 0};
                       poll(&ready, 1, 1000);
                       loop.run_ready();
                     }));
    const int asked = a.request_count() + b.request_count();
    loop.run_for(50ms);
    CHECK(heard == 1);
    CHECK(a.request_count() + b.request_count() <= asked + 1);  // one was on its way
  }
}

TEST_CASE("a router learns which node serves what", "[router][housekeeping]") {
  const auto healthy = std::make_shared<std::atomic<bool>>(true);
  ScriptedUpstream a(server_of("left", healthy));
  ScriptedUpstream b(server_of("right", healthy));
  Config config = two_nodes(a, b);
  config.health.active = false;
  Router router(config);
  (void)router.route_chat(R"({"model":"left","messages":[]})");
  REQUIRE(eventually([&] { return router.snapshot().models.size() == 2; },
                     [] { std::this_thread::yield(); }));
  CHECK(router.route_chat(R"({"model":"left","messages":[]})")->node == "n1");
  CHECK(router.route_chat(R"({"model":"right","messages":[]})")->node == "n2");
  CHECK(router.route_chat(R"({"model":"neither","messages":[]})").error().code ==
        ErrorCode::model_not_found);
}

TEST_CASE("a router learns a node's models with a key that is taken", "[router][housekeeping]") {
  const auto healthy = std::make_shared<std::atomic<bool>>(true);
  ScriptedUpstream a([serve = server_of("left", healthy)](const SeenRequest& request) {
    const bool refused = request.headers.find("authorization") == "Bearer old";
    return refused ? answer(401, "{}") : serve(request);
  });
  ScriptedUpstream b(server_of("right", healthy));
  Config config = two_nodes(a, b);
  config.health.active = false;
  config.nodes[0].api_keys = {"old", "new"};
  Router router(config);
  (void)router.route_chat(R"({"model":"left","messages":[]})");
  CHECK(eventually([&] { return router.snapshot().nodes[0].models.size() == 1; },
                   [] { std::this_thread::yield(); }));
}

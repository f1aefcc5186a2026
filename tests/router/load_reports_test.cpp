// Load reports: nodes are asked for their metrics when a strategy goes by them.
#include <thread>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// Serves a page of metrics that may change.
struct Reporting {
  explicit Reporting(std::string text) : page(std::move(text)) {}

  void say(std::string text) {
    const std::lock_guard lock(mutex);
    page = std::move(text);
  }
  int asked() const { return questions; }

  std::mutex mutex;
  std::string page;
  std::atomic<int> questions{0};
  ScriptedUpstream upstream{[this](const SeenRequest& request) {
    if (request.target != "/metrics") return answer(200, chat_completion("x", "m"));
    ++questions;
    const std::lock_guard lock(mutex);
    return answer(page.empty() ? 404 : 200, page);
  }};
};

std::string page_of(int running, int waiting) {
  return "vllm:num_requests_running{model_name=\"m\"} " + std::to_string(running) +
         "\nvllm:num_requests_waiting{model_name=\"m\"} " + std::to_string(waiting) + "\n";
}

Config by_reports(const Reporting& a, const Reporting& b) {
  Config config = config_of(a.upstream, b.upstream);
  config.router.strategy = "vllm_load";
  config.health.metrics_interval = 200ms;  // a report is good for three of them
  return config;
}

template <class Done>
bool eventually(Done&& holds) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::optional<double> running_of(const Router& router, std::size_t node) {
  const auto reported = router.snapshot().nodes.at(node).reported;
  return reported ? reported->load.running : std::nullopt;
}

}  // namespace

TEST_CASE("calls go where nodes say there is room", "[router][load]") {
  Reporting a(page_of(9, 0));
  Reporting b(page_of(1, 1) + "vllm:kv_cache_usage_perc 0.25\nprocess_max_fds 1024\n");
  Router router(by_reports(a, b));
  REQUIRE(router.route_chat(hello));  // it begins with the first call
  REQUIRE(eventually([&] { return running_of(router, 0) == 9 && running_of(router, 1) == 1; }));
  CHECK(router.route_chat(hello)->node == "n2");
  const std::optional<NodeReport> reported = router.snapshot().nodes[1].reported;
  REQUIRE(reported);
  CHECK(reported->load.waiting == 1);
  CHECK(reported->load.kv_cache_usage == 0.25);
  CHECK(reported->load.max_fds == 1024);
  CHECK(reported->age_seconds >= 0);
  CHECK(reported->age_seconds < 20);

  a.say(page_of(0, 0));
  REQUIRE(eventually([&] { return running_of(router, 0) == 0; }));
  CHECK(router.route_chat(hello)->node == "n1");
  const auto explained = router.explain({.body = hello});
  REQUIRE(explained);
  CHECK(explained->nodes[0].score == 0);
  CHECK(explained->nodes[1].score == 4);
  CHECK(router.snapshot().nodes[1].score == 4);
}

TEST_CASE("what a node does not report is unknown", "[router][load]") {
  Reporting a("");
  Reporting b("vllm:requests_that_run 0\nprocess_max_fds 1024\n");
  Router router(by_reports(a, b));
  REQUIRE(router.route_chat(hello));
  REQUIRE(eventually([&] { return router.snapshot().nodes[1].reported.has_value(); }));
  CHECK_FALSE(router.snapshot().nodes[1].reported->load.tells_load());
  CHECK(eventually([&] { return a.asked() >= 2; }));
  CHECK_FALSE(router.snapshot().nodes[0].reported);
}

TEST_CASE("a report that is not renewed is given up", "[router][load]") {
  Reporting a(page_of(9, 0));
  Reporting b(page_of(1, 0));
  Router router(by_reports(a, b));
  REQUIRE(router.route_chat(hello));
  REQUIRE(eventually([&] { return running_of(router, 0) == 9; }));
  a.say("");
  CHECK(eventually([&] { return !router.snapshot().nodes[0].reported; }));
  CHECK(router.snapshot().nodes[1].reported);
}

TEST_CASE("a page that is too long is not read, and asked for less often", "[router][load]") {
  Reporting a(page_of(1, 0) + std::string(5 << 20, '#'));
  Reporting b(page_of(1, 0));
  Config config = by_reports(a, b);
  config.health.metrics_interval = 20ms;
  Router router(config);
  REQUIRE(router.route_chat(hello));
  CHECK(eventually([&] { return b.asked() >= 20; }));
  CHECK_FALSE(router.snapshot().nodes[0].reported);
  CHECK(a.asked() < 10);  // 20, 40, 80, ... ms
}

TEST_CASE("who sells answers is not asked for a load", "[router][load]") {
  Reporting a(page_of(1, 0));
  Reporting b(page_of(1, 0));
  Config config = by_reports(a, b);
  config.nodes[0].provider = GENERATE(Provider::openai, Provider::azure, Provider::anthropic);
  Router router(config);
  REQUIRE(router.route_chat(hello));
  REQUIRE(eventually([&] { return b.asked() >= 3; }));
  CHECK(a.asked() == 0);
}

TEST_CASE("nobody asks for reports that no strategy goes by", "[router][load]") {
  Reporting a(page_of(1, 0));
  Reporting b(page_of(1, 0));
  Config config = by_reports(a, b);
  config.router.strategy = "least_loaded";
  config.health.active = true;
  config.health.interval = 10ms;
  Router router(config);
  REQUIRE(router.route_chat(hello));
  CHECK(eventually([&] { return b.upstream.request_count() > 5; }));
  CHECK(a.asked() + b.asked() == 0);
  CHECK_FALSE(router.snapshot().nodes[0].reported);
}

TEST_CASE("a strategy of the caller's own may go by reports", "[router][load]") {
  struct Own final : Strategy {
    NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext&) override {
      return NodeIndex{0};
    }
    bool wants_load_reports() const override { return true; }
  };
  Reporting a(page_of(7, 0));
  Reporting b(page_of(1, 0));
  Config config = by_reports(a, b);
  config.router.strategy = "p2c";
  Router router(config);
  router.use(std::make_shared<Own>());
  REQUIRE(router.route_chat(hello));
  CHECK(eventually([&] { return running_of(router, 0) == 7; }));
}

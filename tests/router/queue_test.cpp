/// Calls that have to wait: for a permit of the router's, or for a node at its cap.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// The first request is held until the gate opens.
ScriptedUpstream::Handler held(const Gate& gate) {
  return [gate](const SeenRequest& request) {
    Script script = answer(200, chat_completion("x"));
    return request.number == 1 ? Script().wait(gate).send(script.steps()[0].bytes) : script;
  };
}

/// Starts a call whose end can be waited for.
struct Started {
  explicit Started(Router& router)
      : call(router.start({.body = hello},
                          {.on_done = [this](Result<Reply> r) { result.emplace(std::move(r)); }})) {
  }
  Result<Reply>& wait() {
    call.wait();
    return *result;
  }
  std::optional<Result<Reply>> result;
  Call call;
};

void wait_for_queue(Router& router, std::size_t depth) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (router.snapshot().queue_depth != depth && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  REQUIRE(router.snapshot().queue_depth == depth);
}

}  // namespace

TEST_CASE("with all permits out, a call", "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(held(gate));
  Config config = config_of(node);
  config.backpressure.max_concurrent_requests = 1;

  SECTION("waits for the one before it") {
    Router router(config);
    Started first(router);
    REQUIRE(node.wait_for_requests(1));
    Started second(router);
    wait_for_queue(router, 1);
    CHECK(node.request_count() == 1);
    gate.open();
    CHECK(first.wait().has_value());
    CHECK(second.wait().has_value());
    CHECK(router.snapshot().in_flight == 0);
  }
  SECTION("is refused when nobody may wait") {
    config.backpressure.max_queue_size = 0;
    Router router(config);
    Started first(router);
    REQUIRE(node.wait_for_requests(1));
    const Result<Reply> second = router.route_chat(hello);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::queue_full);
    gate.open();
    CHECK(first.wait().has_value());
  }
  SECTION("is refused when it has waited long enough") {
    config.backpressure.queue_timeout = 20ms;
    Router router(config);
    Started first(router);
    REQUIRE(node.wait_for_requests(1));
    const Result<Reply> second = router.route_chat(hello);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::queue_timeout);
    CHECK(router.snapshot().queue_depth == 0);
    gate.open();
    CHECK(first.wait().has_value());
  }
  SECTION("leaves the line when it is cancelled") {
    Router router(config);
    Started first(router);
    REQUIRE(node.wait_for_requests(1));
    Started second(router);
    wait_for_queue(router, 1);
    second.call.cancel();
    CHECK(second.wait().error().code == ErrorCode::cancelled);
    CHECK(router.snapshot().queue_depth == 0);
    gate.open();
    CHECK(first.wait().has_value());
    CHECK(node.request_count() == 1);
  }
}

TEST_CASE("with every node at its cap, a call waits for a slot", "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(held(gate));
  Config config = config_of(node);
  config.nodes[0].max_concurrent_requests = 1;
  Router router(config);
  Started first(router);
  REQUIRE(node.wait_for_requests(1));
  Started second(router);
  wait_for_queue(router, 1);
  CHECK(node.request_count() == 1);
  gate.open();
  CHECK(first.wait().has_value());
  CHECK(second.wait().has_value());
}

TEST_CASE("a slot goes to a call that can use it", "[router][queue]") {
  Gate first_gate, second_gate, other_gate;
  ScriptedUpstream once([=](const SeenRequest& request) {
    const Script good = answer(200, chat_completion("x"));
    if (request.number == 2) return answer(503, "{}");
    if (request.number > 3) return good;
    return Script()
        .wait(request.number == 1 ? first_gate : second_gate)
        .send(good.steps()[0].bytes);
  });
  ScriptedUpstream other(held(other_gate));
  Config config = config_of(once, other);
  for (NodeConfig& node : config.nodes) node.max_concurrent_requests = 1;
  Router router(config);
  Started holds_first(router);
  REQUIRE(once.wait_for_requests(1));
  Started holds_other(router);
  REQUIRE(other.wait_for_requests(1));
  first_gate.open();
  REQUIRE(holds_first.wait());

  Started failed_once(router);
  wait_for_queue(router, 1);  // refused by n1, and n2 is busy
  Started holds_again(router);
  REQUIRE(once.wait_for_requests(3));
  Started last(router);
  wait_for_queue(router, 2);
  second_gate.open();
  CHECK(holds_again.wait());
  REQUIRE(last.wait());  // not behind the one that has tried n1 already
  CHECK((*last.result)->node == "n1");
  other_gate.open();
  CHECK(holds_other.wait());
  REQUIRE(failed_once.wait());
  CHECK((*failed_once.result)->node == "n2");
}

TEST_CASE("a call that waits for a slot in vain is told so", "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(held(gate));
  Config config = config_of(node);
  config.nodes[0].max_concurrent_requests = 1;
  ErrorCode code = ErrorCode::queue_timeout;
  SECTION("when it has waited long enough") { config.backpressure.queue_timeout = 20ms; }
  SECTION("at once when nobody may wait") {
    config.backpressure.max_queue_size = 0;
    code = ErrorCode::queue_full;
  }
  Router router(config);
  Started first(router);
  REQUIRE(node.wait_for_requests(1));
  const Result<Reply> second = router.route_chat(hello);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == code);
  CHECK(second.error().retry_after);
  CHECK(router.snapshot().queue_depth == 0);
  gate.open();
  CHECK(first.wait());
}

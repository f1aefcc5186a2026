/// Calls that have to wait: for a permit of the router's, or for a node at its cap.
#include <atomic>
#include <thread>

#include "router/started_call.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("with all permits out, a call", "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
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
  ScriptedUpstream node(first_held(gate));
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
  ScriptedUpstream other(first_held(other_gate));
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
  ScriptedUpstream node(first_held(gate));
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

TEST_CASE("when the queue is full, the place of the lowest class goes to a higher one",
          "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
  Config config = config_of(node);
  config.backpressure.max_queue_size = 1;
  SECTION("in the line for permits") { config.backpressure.max_concurrent_requests = 1; }
  SECTION("in the line for nodes") { config.nodes[0].max_concurrent_requests = 1; }
  Router router(config);
  Started first(router);
  REQUIRE(node.wait_for_requests(1));
  Started low(router);
  wait_for_queue(router, 1);
  Started high(router, {.priority = 1});
  const Result<Reply>& refused = low.wait();  // at once: the gate is closed
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::queue_full);
  CHECK(router.snapshot().queue_depth == 1);
  gate.open();
  CHECK(first.wait().has_value());
  CHECK(high.wait().has_value());
  CHECK(node.request_count() == 2);
}

TEST_CASE("one that is shed is told when to come back", "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
  Config config = config_of(node);
  config.backpressure = {.max_concurrent_requests = 1, .max_queue_size = 1, .queue_timeout = 7s};
  Router router(config);
  Started first(router);
  REQUIRE(node.wait_for_requests(1));
  Started low(router);
  wait_for_queue(router, 1);
  Started high(router, {.priority = 1});
  const Result<Reply>& refused = low.wait();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry_after == Duration(7s));  // no rate is known yet
  gate.open();
  CHECK(first.wait().has_value());
  CHECK(high.wait().has_value());
}

TEST_CASE("a call whose deadline comes before its turn ends then and is never sent",
          "[router][queue]") {
  Gate gate;
  ScriptedUpstream node(first_held(gate));
  Config config = config_of(node);
  config.backpressure.max_concurrent_requests = 1;
  Router router(config);
  Started first(router);
  REQUIRE(node.wait_for_requests(1));
  Started second(router, {.deadline = 20ms});
  const Result<Reply>& late = second.wait();
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::deadline_exceeded);
  CHECK(router.snapshot().queue_depth == 0);
  gate.open();
  CHECK(first.wait().has_value());
  CHECK(node.request_count() == 1);
}

TEST_CASE("a call that would be dead before its turn is refused at once", "[router][queue]") {
  constexpr int measured = 6;
  Gate gate;
  ScriptedUpstream node([&gate](const SeenRequest& request) {
    const Script whole = answer(200, chat_completion("x"));
    Script script;
    if (request.number <= measured) {
      script.pause(50ms);
    } else {
      script.wait(gate);
    }
    return script.send(whole.steps()[0].bytes);
  });
  Config config = config_of(node);
  config.backpressure = {.max_concurrent_requests = 1, .max_queue_size = 100};
  Router router(config);
  {
    std::deque<Started> some;
    for (int i = 0; i < measured; ++i) some.emplace_back(router);
    for (Started& one : some) CHECK(one.wait().has_value());
  }
  std::deque<Started> line;
  for (int i = 0; i < 21; ++i) line.emplace_back(router);
  wait_for_queue(router, 20);

  const Result<Reply> refused =
      router.route({.body = hello, .options = {.deadline = 500ms}});  // 20 at 50 ms or more each
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::queue_full);
  CHECK(refused.error().retry_after >= Duration(1s));
  CHECK(router.snapshot().queue_depth == 20);

  Started in_time(router, {.deadline = 600s});
  wait_for_queue(router, 21);
  gate.open();
  CHECK(in_time.wait().has_value());
  for (Started& one : line) CHECK(one.wait().has_value());
}

TEST_CASE("a node never has more calls than max_concurrent_requests", "[router][queue]") {
  constexpr int cap = 4;
  ScriptedUpstream node([](const SeenRequest& request) {
    const std::string end = chunk(chat_finish()) + chunk(done()) + chunk("");
    if (request.body.find("stream") != std::string::npos)
      return event_stream({chat_chunk("x")}, Ending::open).pause(2ms).send(end);
    return Script().pause(3ms).send(answer(200, chat_completion("x")).steps()[0].bytes);
  });
  Config config = config_of(node);
  config.nodes[0].max_concurrent_requests = cap;
  Router router(config);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 20; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        if (i % 2 == 0) {
          good += router.route_chat(hello).has_value();
        } else if (Result<Stream> stream = router.stream({.body = hello})) {
          good += !collect(*stream).error;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 200);
  CHECK(node.most_at_once() == cap);
  CHECK(router.snapshot().queue_depth == 0);
}

// Calls with callbacks, on the background thread and on a loop of the application's.
#include <thread>

#include "capi/capi_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

const std::vector<std::string> whole{chat_chunk("a"), chat_chunk("b"), chat_finish(), done()};

}  // namespace

TEST_CASE("a call on the background thread", "[capi][call]") {
  const bool stream = GENERATE(true, false);
  ScriptedUpstream node(stream ? event_stream(whole) : answer(200, chat_completion("ab")));
  const OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  REQUIRE(start(router, heard, call, stream) == LLMROUTE_OK);
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(heard.done == 1);
  CHECK(heard.status == LLMROUTE_OK);
  CHECK(heard.answered_by == "n1");
  CHECK(heard.text == (stream ? "ab" : ""));
  CHECK(heard.node == (stream ? "n1" : ""));
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(llmroute_call_cancel(call) == LLMROUTE_OK);
  CHECK(heard.done == 1);
}

TEST_CASE("what on_head is told", "[capi][call]") {
  struct Seen {
    int status = 0, attempts = 0;
    bool typed = false, named = false;
  } seen;
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream node(event_stream(whole));
  const OwnedRouter router = router_for(bad, node);
  Heard heard;
  llmroute_callbacks callbacks = heard.callbacks();
  struct Both {
    Heard* heard;
    Seen* seen;
  } both{&heard, &seen};
  callbacks.user_data = &both;
  callbacks.on_event = [](void*, const llmroute_event*) { return 0; };
  callbacks.on_done = [](void* to, llmroute_status, llmroute_reply* reply, llmroute_error* error) {
    ++static_cast<Both*>(to)->heard->done;
    llmroute_reply_free(reply);
    llmroute_error_free(error);
  };
  const bool refuse = GENERATE(false, true);
  callbacks.on_head = [](void* to, const llmroute_head* head) {
    Seen& into = *static_cast<Both*>(to)->seen;
    into.status = llmroute_head_http_status(head);
    into.attempts = llmroute_head_attempts(head);
    into.named = *llmroute_head_request_id(head, nullptr) != '\0';
    into.typed =
        llmroute_headers_find(llmroute_head_headers(head), "content-type", 12, nullptr) != nullptr;
    return 0;
  };
  if (refuse) callbacks.on_head = [](void*, const llmroute_head*) { return -1; };
  OwnedCall call;
  REQUIRE(llmroute_call_start(router, hello.data(), hello.size(), nullptr, &callbacks, &call,
                              nullptr) == LLMROUTE_OK);
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(heard.done == 1);
  if (refuse) return;
  CHECK(seen.status == 200);
  CHECK(seen.attempts == 2);
  CHECK(seen.named);
  CHECK(seen.typed);
}

TEST_CASE("ways to cancel a call", "[capi][call]") {
  ScriptedUpstream node(event_stream({chat_chunk("x")}, Ending::open).hang());
  OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  SECTION("from another thread") {
    REQUIRE(start(router, heard, call) == LLMROUTE_OK);
    REQUIRE(node.wait_for_requests(1));
    CHECK(llmroute_call_cancel(call) == LLMROUTE_OK);
    CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  }
  SECTION("by what on_event returns") {
    const int32_t said = GENERATE(1, -1, 0x7fffffff);
    heard.at_event = [said] { return said; };
    REQUIRE(start(router, heard, call) == LLMROUTE_OK);
    CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
    CHECK(heard.events == 1);
  }
  SECTION("from inside on_event") {
    heard.at_event = [&] { return llmroute_call_cancel(call); };
    REQUIRE(start(router, heard, call) == LLMROUTE_OK);
    CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  }
  CHECK(heard.status == LLMROUTE_CANCELLED);
  CHECK(node.wait_for_gone(1));
}

TEST_CASE("a call is cancelled also when its rest is there already", "[capi][call]") {
  std::string events;
  for (const std::string& event : whole) events += chunk(event);
  ScriptedUpstream node(
      raw(head(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}}) +
          events + chunk("")));
  const OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  heard.at_event = [&] { return heard.events == 2 ? 1 : 0; };
  REQUIRE(start(router, heard, call) == LLMROUTE_OK);
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(heard.status == LLMROUTE_CANCELLED);
  CHECK(heard.events == 2);
  CHECK(heard.request_id.size() == 15);  // also of an end that was whole before it was cancelled
}

TEST_CASE("freeing a router ends its background calls", "[capi][call]") {
  ScriptedUpstream node(Script().hang());
  OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  REQUIRE(start(router, heard, call, false) == LLMROUTE_OK);
  REQUIRE(node.wait_for_requests(1));
  router.reset();
  CHECK(heard.done == 1);
  CHECK(heard.status == LLMROUTE_SHUTTING_DOWN);
}

TEST_CASE("many calls on a loop", "[capi][loop]") {
  ScriptedUpstream node(event_stream(whole));
  const OwnedRouter router = router_for(node);
  const OwnedLoop loop = new_loop();
  std::vector<Heard> heard(10);
  std::vector<OwnedCall> calls(10);
  int ended = 0;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    heard[i].at_done = [&] { ++ended; };
    REQUIRE(start_on(loop, router, heard[i], calls[i]) == LLMROUTE_OK);
  }
  CHECK(ended == 0);
  CHECK(llmroute_call_wait(calls[0]) == LLMROUTE_INVALID_ARGUMENT);  // who would turn the loop?
  turn_until(loop, [&] { return ended == 10; });
  for (const Heard& one : heard) CHECK(one.text == "ab");
  CHECK(llmroute_call_wait(calls[0]) == LLMROUTE_OK);
}

TEST_CASE("a loop turned by waiting", "[capi][loop]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(node);
  const OwnedLoop loop = new_loop();
  Heard heard;
  OwnedCall call;
  REQUIRE(start_on(loop, router, heard, call, false) == LLMROUTE_OK);
  while (heard.done == 0) REQUIRE(llmroute_loop_run_for(loop, 1000) == LLMROUTE_OK);
  CHECK(heard.status == LLMROUTE_OK);
}

TEST_CASE("an event that is kept holds back the next", "[capi][loop]") {
  ScriptedUpstream node(event_stream(whole));
  const OwnedRouter router = router_for(node);
  const OwnedLoop loop = new_loop();
  Heard heard;
  heard.at_event = [] { return LLMROUTE_KEEP; };
  OwnedCall call;
  REQUIRE(start_on(loop, router, heard, call) == LLMROUTE_OK);
  for (int expected = 1; expected <= 3; ++expected) {
    turn_until(loop, [&] { return heard.events == expected; });
    REQUIRE(llmroute_loop_run_ready(loop) == LLMROUTE_OK);
    CHECK(heard.events == expected);
    CHECK(llmroute_call_drained(call) == LLMROUTE_OK);
  }
  turn_until(loop, [&] { return heard.done == 1; });
  CHECK(heard.status == LLMROUTE_OK);
}

TEST_CASE("work handed to a loop runs on its thread, in order", "[capi][loop]") {
  const OwnedLoop loop = new_loop();
  struct Order {
    std::vector<std::thread::id> threads{};
  } order;
  const auto note = [](void* to) {
    static_cast<Order*>(to)->threads.push_back(std::this_thread::get_id());
  };
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) CHECK(llmroute_loop_post(loop, note, &order) == LLMROUTE_OK);
  });
  other.join();
  turn_until(loop, [&] { return order.threads.size() == 3; });
  CHECK(order.threads[0] == std::this_thread::get_id());
}

TEST_CASE("freeing a loop ends its calls", "[capi][loop]") {
  ScriptedUpstream node(Script().hang());
  const OwnedRouter router = router_for(node);
  OwnedLoop loop = new_loop();
  std::vector<Heard> heard(3);
  std::vector<OwnedCall> calls(3);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(start_on(loop, router, heard[i], calls[i], false) == LLMROUTE_OK);
  }
  turn_until(loop, [&] { return node.request_count() == 3; });
  loop.reset();
  for (const Heard& one : heard) CHECK(one.status == LLMROUTE_CANCELLED);
  CHECK(node.wait_for_gone(3));
  CHECK(llmroute_call_cancel(calls[0]) == LLMROUTE_OK);
  CHECK(llmroute_call_drained(calls[0]) == LLMROUTE_OK);
}

TEST_CASE("housekeeping on a loop of the application's", "[capi][loop]") {
  ScriptedUpstream node(answer(200, R"({"data":[{"id":"m"}]})"));
  const std::string config =
      R"({"health":{"active":true,"interval":"10ms"},"nodes":[{"url":")" + node.url() + R"("}]})";
  OwnedRouter router = router_of(config);
  OwnedLoop loop = new_loop();
  REQUIRE(llmroute_router_maintain(router, loop, nullptr) == LLMROUTE_OK);
  turn_until(loop, [&] { return node.request_count() >= 2; });
  SECTION("the router goes first") { router.reset(); }
  SECTION("the loop goes first") { loop.reset(); }
}

TEST_CASE("the same loop serves two routers, and outlives one", "[capi][loop]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  OwnedRouter first = router_for(node);
  const OwnedRouter second = router_for(node);
  const OwnedLoop loop = new_loop();
  for (llmroute_router* router :
       {static_cast<llmroute_router*>(first), static_cast<llmroute_router*>(second)}) {
    Heard heard;
    OwnedCall call;
    REQUIRE(start_on(loop, router, heard, call, false) == LLMROUTE_OK);
    first.reset();  // its call goes on
    turn_until(loop, [&] { return heard.done == 1; });
    CHECK(heard.status == LLMROUTE_OK);
  }
}

// Calls with callbacks: on the background loop, on the application's own, cancelled from anywhere.
#include <poll.h>

#include <atomic>
#include <thread>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// Turns a loop the way an application does: poll its descriptor, then let it work.
template <class Done>
void turn_until(EventLoop& loop, Done&& done) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!done() && std::chrono::steady_clock::now() < end) {
    pollfd ready{loop.fd(), POLLIN, 0};
    poll(&ready, 1, 1000);
    loop.run_ready();
  }
}

}  // namespace

TEST_CASE("a started call", "[router][async]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(config_of(node));
  std::optional<Result<Reply>> result;

  SECTION("answers on the background loop") {
    Call call = router.start({.body = hello},
                             {.on_done = [&](Result<Reply> r) { result.emplace(std::move(r)); }});
    call.wait();
    REQUIRE(result);
    REQUIRE(result->has_value());
    CHECK((*result)->node == "n1");
  }
  SECTION("may drop its own handle in on_done") {
    std::optional<Call> call;
    std::atomic<bool> done{false};
    std::atomic<bool> kept{false};
    call.emplace(router.start({.body = hello}, {.on_done = [&](Result<Reply>) {
                                while (!kept) std::this_thread::yield();
                                call.reset();
                                done = true;
                                done.notify_all();
                              }}));
    kept = true;
    done.wait(false);
    CHECK_FALSE(call);
  }
}

TEST_CASE("many streams on an application's own loop", "[router][async][embedded]") {
  ScriptedUpstream node(event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}));
  Router router(config_of(node));
  EventLoop loop;
  int ended = 0;
  int events = 0;
  bool inside = true;
  std::vector<Call> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(router.run_on(loop, {.body = hello},
                                  {.on_event =
                                       [&](const Event&) {
                                         ++events;
                                         return Taken::done;
                                       },
                                   .on_done =
                                       [&](Result<Reply> r) {
                                         CHECK_FALSE(inside);
                                         CHECK(r);
                                         ++ended;
                                       }}));
  }
  inside = false;
  turn_until(loop, [&] { return ended == 20; });
  CHECK(ended == 20);
  CHECK(events == 60);
}

TEST_CASE("on_done never comes from inside run_on", "[router][async]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(config_of(node));
  EventLoop loop;
  bool returned = false;
  bool ended = false;
  Call call = router.run_on(loop, {.body = "no json"}, {.on_done = [&](Result<Reply> r) {
                              CHECK(returned);
                              CHECK(r.error().code == ErrorCode::invalid_argument);
                              ended = true;
                            }});
  returned = true;
  turn_until(loop, [&] { return ended; });
  CHECK(ended);
}

TEST_CASE("an event that is kept holds back the next", "[router][async]") {
  ScriptedUpstream node(event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}));
  Router router(config_of(node));
  EventLoop loop;
  std::vector<std::string> seen;
  bool ended = false;
  Call call = router.run_on(loop, {.body = hello},
                            {.on_event =
                                 [&](const Event& e) {
                                   seen.emplace_back(e.data);
                                   return Taken::kept;
                                 },
                             .on_done =
                                 [&](Result<Reply> r) {
                                   CHECK(r);
                                   ended = true;
                                 }});
  for (std::size_t expected = 1; expected <= 3; ++expected) {
    turn_until(loop, [&] { return seen.size() == expected; });
    loop.run_ready();
    CHECK(seen.size() == expected);
    CHECK_FALSE(ended);
    call.drained();
  }
  turn_until(loop, [&] { return ended; });
  CHECK(ended);
}

TEST_CASE("an event that is done with before on_event has kept it", "[router][async]") {
  ScriptedUpstream node(event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}));
  Router router(config_of(node));
  EventLoop loop;
  Call call;
  int events = 0;
  bool ended = false;
  const bool elsewhere = GENERATE(false, true);
  call = router.run_on(loop, {.body = hello},
                       {.on_event =
                            [&](const Event&) {
                              ++events;
                              const auto drained = [&] { call.drained(); };
                              elsewhere ? std::thread(drained).join() : drained();
                              return Taken::kept;
                            },
                        .on_done = [&](Result<Reply> r) { ended = r.has_value(); }});
  turn_until(loop, [&] { return ended; });
  CHECK(ended);
  CHECK(events == 3);
}

TEST_CASE("drained() counts for no later event", "[router][async]") {
  std::string events;
  for (const std::string& event : {chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}) {
    events += chunk(event);
  }
  ScriptedUpstream node(
      raw(head(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}}) +
          events + chunk("")));
  Router router(config_of(node));
  EventLoop loop;
  Call call;
  int seen = 0;
  bool ended = false;
  call = router.run_on(loop, {.body = hello},
                       {.on_event =
                            [&](const Event&) {
                              if (++seen == 2) return Taken::kept;
                              std::thread([&] { call.drained(); }).join();  // though it is not kept
                              return Taken::done;
                            },
                        .on_done = [&](Result<Reply> r) { ended = r.has_value(); }});
  turn_until(loop, [&] { return seen == 2; });
  for (int i = 0; i < 3; ++i) loop.run_ready();
  CHECK(seen == 2);
  call.drained();
  turn_until(loop, [&] { return ended; });
  CHECK(seen == 3);
}

TEST_CASE("cancelling", "[router][async][cancel]") {
  struct Row {
    const char* what;
    Script script;
  };
  const auto row = GENERATE(
      Row{"before the head", Script{}.hang()},
      Row{"in the head", Script{}.send("HTTP/1.1 200 OK\r\nContent-Ty").hang()},
      Row{"before the first content", event_stream({chat_chunk("")}, test::Ending::open).hang()},
      Row{"in mid-stream", event_stream({chat_chunk("x")}, test::Ending::open).hang()});
  INFO(row.what);
  const bool stream = GENERATE(false, true);
  ScriptedUpstream node(row.script);
  Router router(config_of(node));
  std::optional<Result<Reply>> result;
  Callbacks callbacks{.on_done = [&](Result<Reply> r) { result.emplace(std::move(r)); }};
  if (stream) callbacks.on_event = [](const Event&) { return Taken::done; };

  SECTION("from another thread ends the call with `cancelled` and closes the socket") {
    Call call = router.start({.body = hello}, std::move(callbacks));
    REQUIRE(node.wait_for_requests(1));
    call.cancel();
    call.wait();
    REQUIRE(result);
    REQUIRE_FALSE(result->has_value());
    CHECK(result->error().code == ErrorCode::cancelled);
  }
  SECTION("by dropping the handle does the same") {
    EventLoop loop;
    {
      Call call = router.run_on(loop, {.body = hello}, std::move(callbacks));
      turn_until(loop, [&] { return node.request_count() == 1; });
    }
    turn_until(loop, [&] { return result.has_value(); });
    REQUIRE(result);
    CHECK(result->error().code == ErrorCode::cancelled);
  }
  CHECK(node.wait_for_gone(1));
  const Snapshot after = router.snapshot();
  CHECK(after.in_flight == 0);
  CHECK(after.nodes[0].in_flight == 0);
  CHECK(after.nodes[0].failures == 0);
}

TEST_CASE("closing a router ends its background calls", "[router][async]") {
  ScriptedUpstream node(Script{}.hang());
  std::optional<Result<Reply>> result;
  std::optional<Router> router(std::in_place, config_of(node));
  Call call = router->start({.body = hello},
                            {.on_done = [&](Result<Reply> r) { result.emplace(std::move(r)); }});
  REQUIRE(node.wait_for_requests(1));
  router.reset();
  call.wait();
  REQUIRE(result);
  CHECK(result->error().code == ErrorCode::shutting_down);
  CHECK(node.wait_for_gone(1));
}

TEST_CASE("blocking calls from many threads at once", "[router][threads]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  ScriptedUpstream other(answer(503, "{}"));
  Config config = config_of(other, node);
  config.router.strategy = "round_robin";
  config.router.retry_budget = 1;
  Router router(config);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) good += router.route_chat(hello).has_value() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 80);
  CHECK(router.snapshot().in_flight == 0);
}

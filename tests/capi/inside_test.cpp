// What may be done from inside a callback, and what is refused there.
#include <atomic>
#include <thread>

#include "capi/objects.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// A strategy that takes the first node, after it has done something else.
struct Meddler {
  std::function<void()> at_pick{};
  std::function<void()> at_score{};
  std::function<void()> at_free{};
  int freed = 0;

  llmroute_strategy functions() {
    auto out = sized<llmroute_strategy>();
    out.user_data = this;
    out.pick = [](void* self, const llmroute_pick*) {
      if (static_cast<Meddler*>(self)->at_pick) static_cast<Meddler*>(self)->at_pick();
      return 0u;
    };
    out.score = [](void* self, const llmroute_pick*) {
      if (static_cast<Meddler*>(self)->at_score) static_cast<Meddler*>(self)->at_score();
      return 1.0;
    };
    out.free_user_data = [](void* self) {
      ++static_cast<Meddler*>(self)->freed;
      if (static_cast<Meddler*>(self)->at_free) static_cast<Meddler*>(self)->at_free();
    };
    return out;
  }
};

llmroute_status use(llmroute_router* router, Meddler& meddler) {
  const llmroute_strategy functions = meddler.functions();
  return llmroute_router_use_strategy(router, &functions, nullptr);
}

llmroute_status explain(llmroute_router* router) {
  OwnedText json;
  return llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                 nullptr);
}

const std::vector<std::string> whole_stream{chat_chunk("a"), chat_chunk("b"), chat_finish(),
                                            done()};

}  // namespace

TEST_CASE("an event that is drained before on_event has kept it", "[capi][call]") {
  ScriptedUpstream node(event_stream(whole_stream));
  const OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  const bool elsewhere = GENERATE(false, true);
  heard.at_event = [&] {
    const auto drained = [&] { llmroute_call_drained(call); };
    elsewhere ? std::thread(drained).join() : drained();
    return LLMROUTE_KEEP;
  };
  SECTION("on the background thread") {
    REQUIRE(start(router, heard, call) == LLMROUTE_OK);
    CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  }
  SECTION("on a loop") {
    const OwnedLoop loop = new_loop();
    REQUIRE(start_on(loop, router, heard, call) == LLMROUTE_OK);
    turn_until(loop, [&] { return heard.done == 1; });
  }
  CHECK(heard.status == LLMROUTE_OK);
  CHECK(heard.text == "ab");
}

TEST_CASE("a strategy in use stays", "[capi][strategy]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  OwnedRouter router = router_for(node);
  Meddler meddler;
  Meddler other;
  const auto observer = sized<llmroute_observer>();
  llmroute_status strategy_said = LLMROUTE_OK;
  llmroute_status observer_said = LLMROUTE_OK;
  const auto replace = [&] {
    strategy_said = use(router, other);
    observer_said = llmroute_router_use_observer(router, &observer, nullptr);
  };
  const bool in_score = GENERATE(false, true);
  (in_score ? meddler.at_score : meddler.at_pick) = replace;
  REQUIRE(use(router, meddler) == LLMROUTE_OK);
  SECTION("while it explains") { CHECK(explain(router) == LLMROUTE_OK); }
  SECTION("and after a call") {
    CHECK(node_asked(router) == "n1");
    replace();
  }
  SECTION("and while a loop maintains the router") {
    const OwnedLoop loop = new_loop();
    REQUIRE(llmroute_router_maintain(router, loop, nullptr) == LLMROUTE_OK);
    replace();
    router.reset();
    meddler.freed = 0;
  }
  CHECK(strategy_said == invalid);
  CHECK(observer_said == invalid);
  CHECK(meddler.freed == 0);
  CHECK(other.freed >= 1);
}

TEST_CASE("what frees a strategy that was replaced may use the router", "[capi][strategy]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(node);
  Meddler first;
  Meddler second;
  std::string asked;
  first.at_free = [&] { asked = node_asked(router); };
  REQUIRE(use(router, first) == LLMROUTE_OK);
  REQUIRE(use(router, second) == LLMROUTE_OK);
  CHECK(first.freed == 1);
  CHECK(asked == "n1");
}

TEST_CASE("a loop is not turned from inside a call that begins on it", "[capi][loop]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(node);
  const OwnedLoop loop = new_loop();
  Meddler meddler;
  Heard heard;
  OwnedCall call;
  Heard inner;
  OwnedCall inner_call;
  llmroute_status ready = LLMROUTE_OK;
  llmroute_status waited = LLMROUTE_OK;
  llmroute_status begun = LLMROUTE_OK;
  meddler.at_pick = [&] {
    ready = llmroute_loop_run_ready(loop);
    waited = llmroute_loop_run_for(loop, 0);
    begun = start_on(loop, router, inner, inner_call, false);
  };
  REQUIRE(use(router, meddler) == LLMROUTE_OK);
  REQUIRE(start_on(loop, router, heard, call, false) == LLMROUTE_OK);
  CHECK(ready == invalid);
  CHECK(waited == invalid);
  CHECK(begun == invalid);  // it would take the list away that `pick` chooses from
  CHECK(inner_call == nullptr);
  turn_until(loop, [&] { return heard.done == 1; });
  CHECK(heard.status == LLMROUTE_OK);
  CHECK(inner.done == 0);
}

TEST_CASE("no call begins on a loop in on_node, but one does in on_call", "[capi][observer]") {
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x")));
  std::string config = config_for({bad.url(), good.url()});
  config.insert(1, R"("breaker":{"consecutive_failures":1},)");
  const OwnedRouter router = router_of(config);
  const OwnedLoop loop = new_loop();
  struct Starter {
    std::function<llmroute_status()> start{};
    std::vector<llmroute_status> at_node{};
    std::vector<llmroute_status> at_call{};
  } starter;
  Heard heard;
  OwnedCall call;
  Heard inner;
  OwnedCall inner_call;
  starter.start = [&] { return start_on(loop, router, inner, inner_call, false); };
  auto observer = sized<llmroute_observer>();
  observer.user_data = &starter;
  observer.on_node = [](void* to, const llmroute_node_event*) {
    static_cast<Starter*>(to)->at_node.push_back(static_cast<Starter*>(to)->start());
  };
  observer.on_call = [](void* to, const llmroute_call_event*) {
    auto& at_call = static_cast<Starter*>(to)->at_call;
    if (at_call.empty()) at_call.push_back(static_cast<Starter*>(to)->start());
  };
  REQUIRE(llmroute_router_use_observer(router, &observer, nullptr) == LLMROUTE_OK);
  REQUIRE(start_on(loop, router, heard, call, false) == LLMROUTE_OK);
  turn_until(loop, [&] { return heard.done == 1 && inner.done == 1; });
  REQUIRE(starter.at_node.size() == 1);
  CHECK(starter.at_node[0] == invalid);
  REQUIRE(starter.at_call.size() == 1);
  CHECK(starter.at_call[0] == LLMROUTE_OK);
  CHECK(inner.status == LLMROUTE_OK);
}

TEST_CASE("a router is maintained once", "[capi][loop]") {
  ScriptedUpstream node(answer(200, R"({"data":[{"id":"m"}]})"));
  OwnedRouter router = router_of(
      R"({"health":{"active":true,"interval":"10ms"},"nodes":[{"url":")" + node.url() + R"("}]})");
  OwnedLoop loop = new_loop();
  OwnedLoop other = new_loop();
  REQUIRE(llmroute_router_maintain(router, loop, nullptr) == LLMROUTE_OK);
  CHECK(llmroute_router_maintain(router, other, nullptr) == invalid);
  CHECK(llmroute_router_maintain(router, loop, nullptr) == invalid);
  SECTION("its loop goes on with it") {
    turn_until(loop, [&] { return node.request_count() >= 2; });
  }
  SECTION("the loops go first") {
    other.reset();
    loop.reset();
  }
  router.reset();
}

TEST_CASE("freed inside a callback", "[capi][misuse]") {
  ScriptedUpstream node(event_stream({chat_chunk("x"), chat_finish(), done()}));
  OwnedRouter router = router_for(node);
  OwnedCall call;
  OwnedLoop loop = new_loop();
  Heard heard;
  const auto run_background = [&] {
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    heard.at_done = [ended, before = heard.at_done] {
      if (before) before();
      const auto told = ended;  // the function itself may be gone once this is true
      *told = true;
      told->notify_all();
    };
    REQUIRE(start(router, heard, call) == LLMROUTE_OK);
    ended->wait(false);
  };
  SECTION("the call, in on_event") {
    heard.at_event = [&] { return call.reset(), 0; };
    run_background();
    CHECK(heard.status == LLMROUTE_CANCELLED);
  }
  SECTION("the call, in on_done") {
    heard.at_done = [&] { call.reset(); };
    run_background();
  }
  SECTION("the router, in on_event") {
    ScriptedUpstream unfinished(event_stream({chat_chunk("x")}, test::Ending::open).hang());
    router = router_for(unfinished);
    heard.at_event = [&] { return router.reset(), 0; };
    run_background();
    CHECK(heard.status == LLMROUTE_SHUTTING_DOWN);
  }
  SECTION("the router, in on_done") {
    heard.at_done = [&] { router.reset(); };
    run_background();
  }
  SECTION("loop, router and call, in on_event on that loop") {
    heard.at_event = [&] {
      loop.reset();
      router.reset();
      call.reset();
      return 0;
    };
    llmroute_loop* const turned = loop;
    REQUIRE(start_on(loop, router, heard, call) == LLMROUTE_OK);
    while (llmroute_loop_run_for(turned, 1000) == LLMROUTE_OK) {
    }
    CHECK(heard.status == LLMROUTE_CANCELLED);
  }
  SECTION("the loop, in on_done, which would start another call on it") {
    heard.at_done = [&] {
      llmroute_loop* const freed = loop;
      loop.reset();
      OwnedCall another;
      CHECK(start_on(freed, router, heard, another) == invalid);
    };
    llmroute_loop* const turned = loop;
    REQUIRE(start_on(loop, router, heard, call) == LLMROUTE_OK);
    while (llmroute_loop_run_for(turned, 1000) == LLMROUTE_OK) {
    }
  }
  CHECK(heard.done == 1);
}

TEST_CASE("a router freed by its own strategy", "[capi][misuse]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  OwnedRouter router = router_for(node);
  auto strategy = sized<llmroute_strategy>();
  strategy.user_data = std::addressof(router);
  strategy.pick = [](void* self, const llmroute_pick*) {
    static_cast<OwnedRouter*>(self)->reset();
    return 0u;
  };
  REQUIRE(llmroute_router_use_strategy(router, &strategy, nullptr) == LLMROUTE_OK);
  OwnedReply reply;
  OwnedError error;
  CHECK(route(router, reply, error) == LLMROUTE_OK);  // this one still comes to its end
  CHECK(router == nullptr);
}

TEST_CASE("what a callback may not do", "[capi][misuse]") {
  Objects objects;
  Heard heard;
  OwnedCall call;
  SECTION("turn the loop it is called from") {
    llmroute_status inside = LLMROUTE_OK;
    heard.at_done = [&] { inside = llmroute_loop_run_ready(objects.loop); };
    REQUIRE(start_on(objects.loop, objects.router, heard, call, false) == LLMROUTE_OK);
    while (heard.done == 0) REQUIRE(llmroute_loop_run_for(objects.loop, 1000) == LLMROUTE_OK);
    CHECK(inside == invalid);
  }
  SECTION("wait for its own call") {
    llmroute_status inside = LLMROUTE_OK;
    std::atomic<bool> written{false};
    heard.at_done = [&] {
      written.wait(false);
      inside = llmroute_call_wait(call);
    };
    REQUIRE(start(objects.router, heard, call, false) == LLMROUTE_OK);
    written = true;
    written.notify_all();
    CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
    CHECK(inside == invalid);
  }
  SECTION("give housekeeping away once the router runs") {
    CHECK(node_asked(objects.router) == "n1");
    CHECK(llmroute_router_maintain(objects.router, objects.loop, nullptr) == invalid);
  }
}

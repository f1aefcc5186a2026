// What the interface makes of callers that do it wrong: an error each time, and nothing broken.
#include <atomic>
#include <cstddef>
#include <cstring>
#include <limits>

#include "capi/capi_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr llmroute_status invalid = LLMROUTE_INVALID_ARGUMENT;

/// A whole set of objects, some of which a test passes where others belong.
struct Objects {
  ScriptedUpstream node{answer(200, chat_completion("x"))};
  OwnedRouter router = router_for(node);
  OwnedLoop loop = new_loop();
};

/// One object in the place of another.
template <class T>
T* as(void* other) {
  return static_cast<T*>(other);
}

}  // namespace

TEST_CASE("no router: NULL, one that was freed, a loop", "[capi][misuse]") {
  OwnedRouter router;
  OwnedReply reply;
  OwnedStream stream;
  OwnedCall call;
  OwnedText json;
  OwnedLoop loop = new_loop();
  Heard heard;
  const llmroute_callbacks callbacks = heard.callbacks();
  auto strategy = sized<llmroute_strategy>();
  strategy.pick = [](void*, const llmroute_pick*) { return 0u; };
  const auto observer = sized<llmroute_observer>();
  const char* body = hello.data();
  const std::size_t len = hello.size();
  OwnedRouter freed = router_of(R"({"nodes":[]})");
  llmroute_router* none = nullptr;
  switch (GENERATE(0, 1, 2)) {
    case 1:
      none = freed;
      freed.reset();
      break;
    case 2:
      none = as<llmroute_router>(static_cast<llmroute_loop*>(loop));
      break;
    default:
      break;
  }
  OwnedError error;
  CHECK(llmroute_router_add_node(none, "{}", 2, &error) == invalid);
  CHECK(std::string(llmroute_error_param(error, nullptr)) == "router");
  CHECK(llmroute_router_update_node(none, "{}", 2, nullptr) == invalid);
  CHECK(llmroute_router_remove_node(none, "a", 1, nullptr) == invalid);
  CHECK(llmroute_router_drain_node(none, "a", 1, 1, nullptr) == invalid);
  CHECK(llmroute_router_snapshot(none, &json, nullptr, nullptr) == invalid);
  CHECK(llmroute_router_explain(none, body, len, nullptr, &json, nullptr, nullptr) == invalid);
  CHECK(llmroute_router_maintain(none, loop, nullptr) == invalid);
  CHECK(llmroute_router_use_strategy(none, &strategy, nullptr) == invalid);
  CHECK(llmroute_router_use_observer(none, &observer, nullptr) == invalid);
  CHECK(llmroute_route(none, body, len, nullptr, &reply, nullptr) == invalid);
  CHECK(llmroute_stream_open(none, body, len, nullptr, &stream, nullptr) == invalid);
  CHECK(llmroute_call_start(none, body, len, nullptr, &callbacks, &call, nullptr) == invalid);
  CHECK(llmroute_call_start_on(none, loop, body, len, nullptr, &callbacks, &call, nullptr) ==
        invalid);
  llmroute_router_free(none);
  CHECK(heard.done == 0);
}

TEST_CASE("NULL for everything else", "[capi][misuse]") {
  Objects objects;
  llmroute_router* const router = objects.router;
  OwnedReply reply;
  OwnedCall call;
  OwnedText json;
  Heard heard;
  llmroute_callbacks callbacks = heard.callbacks();
  const char* body = hello.data();
  const std::size_t len = hello.size();
  SECTION("places for results") {
    CHECK(llmroute_router_new("{}", 2, nullptr, nullptr) == invalid);
    CHECK(llmroute_route(router, body, len, nullptr, nullptr, nullptr) == invalid);
    CHECK(llmroute_stream_open(router, body, len, nullptr, nullptr, nullptr) == invalid);
    CHECK(llmroute_stream_next(nullptr, nullptr, nullptr) == invalid);
    CHECK(llmroute_call_start(router, body, len, nullptr, &callbacks, nullptr, nullptr) == invalid);
    CHECK(llmroute_loop_new(nullptr, nullptr) == invalid);
    CHECK(llmroute_router_snapshot(router, nullptr, nullptr, nullptr) == invalid);
    CHECK(llmroute_router_explain(router, body, len, nullptr, nullptr, nullptr, nullptr) ==
          invalid);
    CHECK(llmroute_chunk_text("{}", 2, nullptr, nullptr) == invalid);
    llmroute_reply_usage(nullptr, nullptr);
    llmroute_error_usage(nullptr, nullptr);
  }
  SECTION("texts") {
    OwnedRouter made;
    CHECK(llmroute_router_new(nullptr, 0, &made, nullptr) == invalid);
    CHECK(llmroute_router_add_node(router, nullptr, 3, nullptr) == invalid);
    CHECK(llmroute_router_remove_node(router, nullptr, 3, nullptr) == invalid);
    CHECK(llmroute_router_remove_node(router, nullptr, 0, nullptr) == invalid);
    CHECK(llmroute_route(router, nullptr, 0, nullptr, &reply, nullptr) == invalid);
    CHECK(llmroute_route(router, nullptr, 7, nullptr, &reply, nullptr) == invalid);
    CHECK(llmroute_chunk_text(nullptr, 7, &json, nullptr) == invalid);
    CHECK(llmroute_chunk_text(nullptr, 0, &json, nullptr) == LLMROUTE_OK);
    auto options = sized<llmroute_call_options>();
    const auto refused = [&] {
      return llmroute_route(router, body, len, &options, &reply, nullptr) == invalid;
    };
    options.path_len = 1;
    CHECK(refused());
    options.path_len = 0;
    options.header_count = 1;
    CHECK(refused());
    const llmroute_field field{nullptr, 1, "v", 1};
    options.headers = &field;
    CHECK(refused());
    options.header_count = std::numeric_limits<std::size_t>::max();
    CHECK(refused());
  }
  SECTION("functions") {
    CHECK(llmroute_call_start(router, body, len, nullptr, nullptr, &call, nullptr) == invalid);
    callbacks.on_done = nullptr;
    CHECK(llmroute_call_start(router, body, len, nullptr, &callbacks, &call, nullptr) == invalid);
    CHECK(call == nullptr);
    CHECK(llmroute_loop_post(objects.loop, nullptr, nullptr) == invalid);
    CHECK(llmroute_router_use_strategy(router, nullptr, nullptr) == invalid);
    CHECK(llmroute_router_use_observer(router, nullptr, nullptr) == invalid);
    auto strategy = sized<llmroute_strategy>();
    CHECK(llmroute_router_use_strategy(router, &strategy, nullptr) == invalid);
  }
  SECTION("loops") {
    CHECK(llmroute_call_start_on(router, nullptr, body, len, nullptr, &callbacks, &call, nullptr) ==
          invalid);
    CHECK(llmroute_router_maintain(router, nullptr, nullptr) == invalid);
    CHECK(llmroute_loop_fd(nullptr) == -1);
    CHECK(llmroute_loop_run_ready(nullptr) == invalid);
    CHECK(llmroute_loop_run_for(nullptr, 1) == invalid);
    CHECK(llmroute_loop_post(
              nullptr, [](void*) {}, nullptr) == invalid);
  }
  SECTION("calls and streams") {
    const llmroute_event* event = nullptr;
    CHECK(llmroute_call_cancel(nullptr) == invalid);
    CHECK(llmroute_call_drained(nullptr) == invalid);
    CHECK(llmroute_call_wait(nullptr) == invalid);
    CHECK(llmroute_stream_next(nullptr, &event, nullptr) == invalid);
    CHECK(llmroute_stream_reply(nullptr) == nullptr);
  }
  SECTION("what is freed") {
    llmroute_router_free(nullptr);
    llmroute_loop_free(nullptr);
    llmroute_stream_free(nullptr);
    llmroute_call_free(nullptr);
    llmroute_reply_free(nullptr);
    llmroute_error_free(nullptr);
    llmroute_text_free(nullptr);
  }
  CHECK(heard.done == 0);
  CHECK(node_asked(router) == "n1");
}

TEST_CASE("NULL for what is read from", "[capi][misuse]") {
  std::size_t len = 99;
  const auto empty = [&](const char* said) { return std::strlen(said) == 0 && len == 0; };
  SECTION("a reply") {
    CHECK(empty(llmroute_reply_body(nullptr, &len)));
    CHECK(empty(llmroute_reply_node(nullptr, &len)));
    CHECK(empty(llmroute_reply_model(nullptr, &len)));
    CHECK(empty(llmroute_reply_request_id(nullptr, &len)));
    CHECK(llmroute_reply_http_status(nullptr) == 0);
    CHECK(llmroute_reply_time_us(nullptr) == 0);
    CHECK(llmroute_reply_first_content_us(nullptr) == -1);
    CHECK(llmroute_reply_headers(nullptr) == nullptr);
    OwnedText json;
    CHECK(llmroute_reply_attempts(nullptr, &json, nullptr) == invalid);
  }
  SECTION("an error") {
    CHECK(empty(llmroute_error_message(nullptr, &len)));
    CHECK(empty(llmroute_error_node(nullptr, &len)));
    CHECK(empty(llmroute_error_param(nullptr, &len)));
    CHECK(empty(llmroute_error_partial(nullptr, &len)));
    CHECK(empty(llmroute_error_request_id(nullptr, &len)));
    CHECK(empty(llmroute_error_body(nullptr, &len)));
    CHECK(llmroute_error_code(nullptr) == LLMROUTE_OK);
    CHECK(llmroute_error_name(nullptr) == std::string("ok"));
    CHECK(llmroute_error_http_status(nullptr) == 0);
    CHECK(llmroute_error_client_status(nullptr) == 0);
    CHECK(llmroute_error_retry_after_ms(nullptr) == -1);
    CHECK(llmroute_error_headers(nullptr) == nullptr);
    OwnedText json;
    CHECK(llmroute_error_attempts(nullptr, &json, nullptr) == invalid);
    CHECK(llmroute_error_openai(nullptr, &json, nullptr) == invalid);
  }
  SECTION("header fields and the head") {
    CHECK(llmroute_headers_count(nullptr) == 0);
    CHECK(empty(llmroute_headers_name(nullptr, 0, &len)));
    CHECK(empty(llmroute_headers_value(nullptr, 0, &len)));
    CHECK(llmroute_headers_find(nullptr, "a", 1, &len) == nullptr);
    CHECK(llmroute_head_http_status(nullptr) == 0);
    CHECK(llmroute_head_attempts(nullptr) == 0);
    CHECK(empty(llmroute_head_node(nullptr, &len)));
    CHECK(empty(llmroute_head_request_id(nullptr, &len)));
    CHECK(llmroute_head_headers(nullptr) == nullptr);
  }
  SECTION("a pick") {
    CHECK(llmroute_pick_count(nullptr) == 0);
    CHECK(empty(llmroute_pick_node(nullptr, 0, &len)));
    CHECK(empty(llmroute_pick_model(nullptr, &len)));
    CHECK(empty(llmroute_pick_session_key(nullptr, &len)));
    CHECK(llmroute_pick_label(nullptr, 0, "a", 1, &len) == nullptr);
    CHECK(llmroute_pick_weight(nullptr, 0) == 0);
    CHECK(llmroute_pick_capacity(nullptr, 0) == 0);
    CHECK(llmroute_pick_priority(nullptr, 0) == 0);
    CHECK(llmroute_pick_in_flight(nullptr, 0) == 0);
    CHECK(llmroute_pick_requests(nullptr, 0) == 0);
    CHECK(llmroute_pick_failures(nullptr, 0) == 0);
    CHECK(llmroute_pick_latency_seconds(nullptr, 0) == 0);
    CHECK(llmroute_pick_first_content_seconds(nullptr, 0) == 0);
    CHECK(llmroute_pick_prompt_tokens(nullptr) == 0);
    CHECK(llmroute_pick_output_tokens(nullptr) == 0);
    CHECK(llmroute_pick_is_stream(nullptr) == 0);
    CHECK(llmroute_pick_random(nullptr) == 0);
  }
}

TEST_CASE("freed twice, and used afterwards", "[capi][misuse]") {
  Objects objects;
  OwnedReply reply;
  OwnedError error;
  SECTION("a router") {
    llmroute_router* const router = objects.router;
    objects.router.reset();
    llmroute_router_free(router);
    CHECK(route(router, reply, error) == invalid);
  }
  SECTION("a reply") {
    REQUIRE(route(objects.router, reply, error) == LLMROUTE_OK);
    llmroute_reply* const stale = reply;
    reply.reset();
    llmroute_reply_free(stale);
    CHECK(llmroute_reply_body(stale, nullptr) == std::string());
  }
  SECTION("an error") {
    REQUIRE(route(objects.router, reply, error, nullptr, "{") == invalid);
    llmroute_error* const stale = error;
    error.reset();
    llmroute_error_free(stale);
    CHECK(llmroute_error_code(stale) == LLMROUTE_OK);
  }
  SECTION("a stream and its reply") {
    ScriptedUpstream node(event_stream({chat_chunk("x"), chat_finish(), done()}));
    const OwnedRouter router = router_for(node);
    OwnedStream stream;
    REQUIRE(llmroute_stream_open(router, hello.data(), hello.size(), nullptr, &stream, nullptr) ==
            LLMROUTE_OK);
    llmroute_stream* const stale = stream;
    const llmroute_reply* const seen = llmroute_stream_reply(stream);
    stream.reset();
    llmroute_stream_free(stale);
    const llmroute_event* event = nullptr;
    CHECK(llmroute_stream_next(stale, &event, nullptr) == invalid);
    CHECK(llmroute_stream_reply(stale) == nullptr);
    CHECK(llmroute_reply_node(seen, nullptr) == std::string());
    llmroute_reply_free(const_cast<llmroute_reply*>(seen));
  }
  SECTION("a call and a loop") {
    Heard heard;
    OwnedCall call;
    REQUIRE(start_on(objects.loop, objects.router, heard, call, false) == LLMROUTE_OK);
    llmroute_call* const stale = call;
    llmroute_loop* const stale_loop = objects.loop;
    call.reset();
    llmroute_call_free(stale);
    CHECK(llmroute_call_cancel(stale) == invalid);
    CHECK(llmroute_call_wait(stale) == invalid);
    objects.loop.reset();
    CHECK(heard.status == LLMROUTE_CANCELLED);
    llmroute_loop_free(stale_loop);
    CHECK(llmroute_loop_fd(stale_loop) == -1);
    CHECK(llmroute_loop_run_ready(stale_loop) == invalid);
    CHECK(start_on(stale_loop, objects.router, heard, call) == invalid);
  }
}

TEST_CASE("an object of another kind", "[capi][misuse]") {
  Objects objects;
  void* const router = static_cast<llmroute_router*>(objects.router);
  CHECK(llmroute_reply_http_status(as<llmroute_reply>(router)) == 0);
  CHECK(llmroute_error_code(as<llmroute_error>(router)) == LLMROUTE_OK);
  CHECK(llmroute_call_cancel(as<llmroute_call>(router)) == invalid);
  CHECK(llmroute_loop_run_ready(as<llmroute_loop>(router)) == invalid);
  llmroute_stream_free(as<llmroute_stream>(router));
  llmroute_reply_free(as<llmroute_reply>(router));
  llmroute_loop_free(as<llmroute_loop>(router));
  CHECK(node_asked(objects.router) == "n1");
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

TEST_CASE("structs of other versions", "[capi][misuse]") {
  Objects objects;
  OwnedReply reply;
  OwnedError error;
  struct {
    llmroute_call_options known;
    char unknown[4096];
  } options{};
  const auto with_size = [&](std::size_t size) {
    options.known.struct_size = size;
    return route(objects.router, reply, error, &options.known);
  };
  const std::size_t size = sizeof options.known;
  SECTION("older: what they lack is as if not given") {
    options.known.max_attempts = 1;
    options.known.method = "BREW";
    options.known.method_len = 4;
    const std::size_t with_method = offsetof(llmroute_call_options, interrupted);
    for (std::size_t shorter = sizeof(std::size_t); shorter < with_method;
         shorter += sizeof(void*)) {
      INFO(shorter);
      CHECK(with_size(shorter) == LLMROUTE_OK);
    }
    CHECK(with_size(with_method) == invalid);  // now method_len is seen
    CHECK(with_size(size) == invalid);
  }
  SECTION("newer: what is not known must be zero") {
    CHECK(with_size(size + 8) == LLMROUTE_OK);
    CHECK(with_size(4096) == LLMROUTE_OK);
    options.unknown[9] = 1;
    CHECK(with_size(size + 8) == LLMROUTE_OK);
    CHECK(with_size(size + 16) == invalid);
    CHECK(std::string(llmroute_error_param(error, nullptr)) == "options");
  }
  SECTION("garbage") {
    for (const std::size_t bad : {std::size_t{0}, std::size_t{1}, std::size_t{7}, size + 1,
                                  std::size_t{4104}, std::numeric_limits<std::size_t>::max()}) {
      CHECK(with_size(bad) == invalid);
    }
  }
  SECTION("numbers that mean nothing") {
    options.known.resume = GENERATE(-1, 4, std::numeric_limits<std::int32_t>::max());
    CHECK(with_size(size) == invalid);
  }
  SECTION("the greatest numbers") {
    options.known.timeout_ms = 0xffffffff;
    options.known.max_attempts = 0xffffffff;
    options.known.priority = std::numeric_limits<std::int32_t>::min();
    CHECK(with_size(size) == LLMROUTE_OK);
  }
  SECTION("callbacks, strategies and observers") {
    Heard heard;
    OwnedCall call;
    llmroute_callbacks callbacks = heard.callbacks();
    callbacks.struct_size = 2 * sizeof(void*);  // ends before on_done
    CHECK(llmroute_call_start(objects.router, hello.data(), hello.size(), nullptr, &callbacks,
                              &call, nullptr) == invalid);
    auto strategy = sized<llmroute_strategy>();
    strategy.struct_size = 3;
    CHECK(llmroute_router_use_strategy(objects.router, &strategy, nullptr) == invalid);
    auto observer = sized<llmroute_observer>();
    observer.struct_size = 0;
    CHECK(llmroute_router_use_observer(objects.router, &observer, nullptr) == invalid);
  }
}

TEST_CASE("texts no text should be", "[capi][misuse]") {
  Objects objects;
  OwnedReply reply;
  OwnedError error;
  SECTION("longer than memory") {
    const std::size_t most = std::numeric_limits<std::size_t>::max();
    OwnedRouter router;
    CHECK(llmroute_router_new("{}", most, &router, &error) == invalid);
    CHECK(llmroute_route(objects.router, "{}", most, nullptr, &reply, &error) == invalid);
    CHECK(llmroute_router_remove_node(objects.router, "n1", most, &error) == invalid);
    auto options = sized<llmroute_call_options>();
    options.tenant = "t";
    options.tenant_len = most / 2 + 1;
    CHECK(route(objects.router, reply, error, &options) == invalid);
  }
  SECTION("large") {
    const std::string large = R"({"model":"m","messages":[{"role":"user","content":")" +
                              std::string(16 << 20, 'x') + "\"}]}";
    CHECK(route(objects.router, reply, error, nullptr, large) == LLMROUTE_OK);
    CHECK(objects.node.requests().at(0).body == large);
    const std::string name(1 << 20, 'n');
    CHECK(llmroute_router_drain_node(objects.router, name.data(), name.size(), 1, &error) ==
          invalid);
  }
  SECTION("not UTF-8") {
    const std::string bytes =
        GENERATE("\xff", "\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80", "\xc0\xaf");
    const std::string body = R"({"model":")" + bytes + "\"}";
    CHECK(route(objects.router, reply, error, nullptr, body) != LLMROUTE_OK);
    OwnedRouter router;
    const std::string config = R"({"nodes":[{"url":"http://h","name":")" + bytes + "\"}]}";
    CHECK(llmroute_router_new(config.data(), config.size(), &router, &error) ==
          LLMROUTE_INVALID_CONFIG);
    CHECK(llmroute_router_remove_node(objects.router, bytes.data(), bytes.size(), &error) ==
          invalid);
    OwnedText text;
    CHECK(llmroute_chunk_text(bytes.data(), bytes.size(), &text, nullptr) == LLMROUTE_OK);
    CHECK(std::string(text).empty());
  }
  SECTION("with a NUL in it") {
    const std::string body("{\"model\":\"m\0\"}", 14);
    CHECK(route(objects.router, reply, error, nullptr, body) != LLMROUTE_OK);
  }
  SECTION("header fields that would smuggle another") {
    const llmroute_field field{"X-A", 3, "1\r\nX-B: 2", 9};
    auto options = sized<llmroute_call_options>();
    options.headers = &field;
    options.header_count = 1;
    CHECK(route(objects.router, reply, error, &options) != LLMROUTE_OK);
    CHECK(objects.node.request_count() == 0);
  }
}

TEST_CASE("what a node says in no UTF-8 is UTF-8 in JSON", "[capi][misuse]") {
  ScriptedUpstream node(answer(400, "{\"error\":{\"message\":\"caf\xe9\"}}"));
  const OwnedRouter router = router_for(node);
  OwnedReply reply;
  OwnedError error;
  REQUIRE(route(router, reply, error) == LLMROUTE_NODE_REJECTED);
  OwnedText json;
  REQUIRE(llmroute_error_attempts(error, &json, nullptr) == LLMROUTE_OK);
  CHECK(std::string(json).find('\xe9') == std::string::npos);
  REQUIRE(llmroute_error_openai(error, &json, nullptr) == LLMROUTE_OK);
  CHECK(std::string(json).find('\xe9') == std::string::npos);
}

TEST_CASE("errors nobody asks for", "[capi][misuse]") {
  Objects objects;
  CHECK(llmroute_route(objects.router, "{", 1, nullptr, nullptr, nullptr) == invalid);
  OwnedReply reply;
  CHECK(llmroute_route(objects.router, "{", 1, nullptr, &reply, nullptr) == invalid);
}

TEST_CASE("a freed handle is forgotten in the end", "[capi][misuse]") {
  // More than are remembered: their memory goes, and nothing is left over at the end.
  Objects objects;
  OwnedReply reply;
  OwnedError error;
  for (int i = 0; i < 2000; ++i)
    CHECK(route(objects.router, reply, error, nullptr, "{") == invalid);
}

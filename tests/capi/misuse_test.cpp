// What the interface makes of callers that do it wrong: an error each time, and nothing broken.
#include <cstring>

#include "capi/objects.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

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
  CHECK(llmroute_router_reload(none, "{}", 2, &json, nullptr, nullptr) == invalid);
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

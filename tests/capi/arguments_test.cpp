// What callers hand over: structs of other versions, texts no text should be.
#include <cstddef>
#include <limits>

#include "capi/objects.hpp"

using namespace llmroute;
using namespace llmroute::test;

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

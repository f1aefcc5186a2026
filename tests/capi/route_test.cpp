// The blocking call and what can be read of its answer and its error.
#include <llmroute/error.hpp>
#include <llmroute/version.hpp>

#include "capi/capi_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("versions", "[capi]") {
  CHECK(std::string(llmroute_version()) == version());
  CHECK(llmroute_abi() == LLMROUTE_ABI);
}

TEST_CASE("every status has its name", "[capi]") {
  for (const ErrorTraits& row : error_table) {
    CHECK(llmroute_status_name(static_cast<llmroute_status>(row.code)) == row.name);
  }
  CHECK(llmroute_status_name(LLMROUTE_OK) == std::string("ok"));
  for (const llmroute_status none : {-1, 20, 1 << 30}) {
    CHECK(llmroute_status_name(none) == std::string("unknown"));
  }
}

TEST_CASE("a plain call", "[capi]") {
  const std::string body = chat_completion("hello");
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(
      answer(200, body, {{"Content-Type", "application/json"}, {"X-Served-By", "gpu"}}));
  const OwnedRouter router = router_for(bad, good);
  OwnedReply reply;
  OwnedError error;
  REQUIRE(route(router, reply, error) == LLMROUTE_OK);
  CHECK(error == nullptr);
  CHECK(llmroute_reply_http_status(reply) == 200);
  const llmroute_reply* const read = reply;
  CHECK(text(llmroute_reply_body, read) == body);
  CHECK(text(llmroute_reply_node, read) == "n2");
  CHECK(text(llmroute_reply_model, read) == "m");
  CHECK_FALSE(text(llmroute_reply_request_id, read).empty());
  CHECK(llmroute_reply_time_us(reply) > 0);
  CHECK(llmroute_reply_first_content_us(reply) == -1);

  SECTION("its attempts") {
    OwnedText json;
    size_t len = 0;
    REQUIRE(llmroute_reply_attempts(reply, &json, &len) == LLMROUTE_OK);
    const std::string attempts(json, len);
    CHECK(attempts.find(R"([{"node":"n1","error":"upstream_error","http_status":503,)") == 0);
    CHECK_THAT(attempts, Catch::Contains(R"({"node":"n2","error":null,"http_status":200,)"));
  }
  SECTION("its header fields") {
    const llmroute_headers* headers = llmroute_reply_headers(reply);
    size_t len = 0;
    REQUIRE(llmroute_headers_find(headers, "x-served-by", 11, &len) != nullptr);
    CHECK(len == 3);
    CHECK(llmroute_headers_find(headers, "x-served", 8, &len) == nullptr);
    std::string fields;
    for (size_t i = 0; i < llmroute_headers_count(headers); ++i) {
      fields += llmroute_headers_name(headers, i, nullptr);
      fields += std::string("=") + llmroute_headers_value(headers, i, nullptr) + ";";
    }
    CHECK_THAT(fields, Catch::Contains("=gpu;"));
    CHECK(llmroute_headers_name(headers, 999, &len) == std::string());
    CHECK(llmroute_headers_value(headers, 999, &len) == std::string());
    CHECK(len == 0);
  }
  SECTION("its usage") {
    llmroute_usage usage{};
    llmroute_reply_usage(reply, &usage);
    const auto number = [&](const char* name) {
      const std::string key = std::string("\"") + name + "\":";
      const std::size_t at = body.find(key);
      return at == std::string::npos ? 0 : std::stol(body.substr(at + key.size()));
    };
    CHECK(usage.prompt_tokens == number("prompt_tokens"));
    CHECK(usage.total_tokens == number("total_tokens"));
  }
}

TEST_CASE("a refused call", "[capi]") {
  const std::string refusal = GENERATE(R"({"error":{"message":"too long","code":"x"}})", "<html>");
  ScriptedUpstream node(answer(422, refusal, {{"X-Why", "length"}}));
  const OwnedRouter router = router_for(node);
  OwnedReply reply;
  OwnedError error;
  REQUIRE(route(router, reply, error) == LLMROUTE_NODE_REJECTED);
  CHECK(reply == nullptr);
  const llmroute_error* const read = error;
  CHECK(llmroute_error_code(error) == LLMROUTE_NODE_REJECTED);
  CHECK(llmroute_error_name(error) == std::string("node_rejected"));
  CHECK(llmroute_error_http_status(error) == 422);
  CHECK(llmroute_error_client_status(error) == 422);
  CHECK(text(llmroute_error_node, read) == "n1");
  CHECK(text(llmroute_error_body, read) == refusal);
  CHECK(llmroute_headers_find(llmroute_error_headers(error), "x-why", 5, nullptr) != nullptr);
  CHECK(llmroute_error_retry_after_ms(error) == -1);
  CHECK(text(llmroute_error_partial, read).empty());
  CHECK_FALSE(text(llmroute_error_message, read).empty());
  llmroute_usage usage{1, 1, 1, 1};
  llmroute_error_usage(error, &usage);
  CHECK(usage.total_tokens == 0);
  OwnedText attempts;
  REQUIRE(llmroute_error_attempts(error, &attempts, nullptr) == LLMROUTE_OK);
  CHECK_THAT(std::string(attempts), Catch::StartsWith(R"([{"node":"n1",)"));
  OwnedText openai;
  REQUIRE(llmroute_error_openai(error, &openai, nullptr) == LLMROUTE_OK);
  if (refusal.front() == '{') {
    CHECK(std::string(openai) == refusal);
  } else {
    CHECK_THAT(std::string(openai), Catch::StartsWith(R"({"error":{"message":")"));
  }
}

TEST_CASE("an error says when to ask again and which field is wrong", "[capi]") {
  ScriptedUpstream node(answer(429, "{}", {{"Retry-After", "600"}}));
  const OwnedRouter router = router_for(node);
  OwnedReply reply;
  OwnedError error;
  CHECK(route(router, reply, error) == LLMROUTE_RATE_LIMITED);
  CHECK(llmroute_error_retry_after_ms(error) > 590'000);
  CHECK(route(router, reply, error, nullptr, R"({"model":7})") == LLMROUTE_INVALID_ARGUMENT);
  CHECK(text(llmroute_error_param, static_cast<const llmroute_error*>(error)) == "model");
}

TEST_CASE("what a call wants", "[capi]") {
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(bad, good);
  OwnedReply reply;
  OwnedError error;
  auto options = sized<llmroute_call_options>();
  SECTION("one attempt") {
    options.max_attempts = 1;
    CHECK(route(router, reply, error, &options) == LLMROUTE_UPSTREAM_ERROR);
    CHECK(good.request_count() == 0);
  }
  SECTION("a path, fields and an id") {
    const llmroute_field fields[] = {{"X-One", 5, "1", 1}, {"traceparent", 11, "00-a", 4}};
    options.path = "/v1/completions";
    options.path_len = 15;
    options.headers = fields;
    options.header_count = 2;
    options.request_id = "id-7";
    options.request_id_len = 4;
    options.tenant = "t";
    options.tenant_len = 1;
    options.resume = LLMROUTE_RESUME_OFF;
    options.priority = -3;
    REQUIRE(route(router, reply, error, &options) == LLMROUTE_OK);
    const SeenRequest seen = good.requests().at(0);
    CHECK(seen.target == "/v1/completions");
    CHECK(seen.headers.find("X-One") == "1");
    CHECK(seen.headers.find("traceparent") == "00-a");
    CHECK(std::string(llmroute_reply_request_id(reply, nullptr)) == "id-7");
  }
  SECTION("another method, without a body, of the first node that has the path") {
    ScriptedUpstream without(answer(404, "{}"));
    ScriptedUpstream with(answer(200, "whatever it is"));
    const OwnedRouter both = router_for(without, with);
    options.method = "GET";
    options.method_len = 3;
    options.path = "/v1/files/f-1";
    options.path_len = 13;
    REQUIRE(route(both, reply, error, &options, "") == LLMROUTE_OK);
    CHECK(std::string(llmroute_reply_body(reply, nullptr)) == "whatever it is");
    CHECK(with.requests().at(0).method == "GET");
    CHECK(with.requests().at(0).target == "/v1/files/f-1");
  }
  SECTION("an answer in time") {
    ScriptedUpstream silent(Script().hang());
    const OwnedRouter alone = router_for(silent);
    options.timeout_ms = 50;
    CHECK(route(alone, reply, error, &options) == LLMROUTE_DEADLINE_EXCEEDED);
    CHECK(silent.wait_for_gone(1));
  }
}

TEST_CASE("nodes come, change and go", "[capi]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(first);
  const auto n2 = [&](int priority) {
    return R"({"name":"n2","url":")" + second.url() + R"(","models":["m"],"priority":)" +
           std::to_string(priority) + "}";
  };
  const auto add = [&](const std::string& json) {
    return llmroute_router_add_node(router, json.data(), json.size(), nullptr);
  };
  REQUIRE(add(n2(2)) == LLMROUTE_OK);
  CHECK(add(n2(2)) == LLMROUTE_INVALID_ARGUMENT);
  CHECK(add("{") == LLMROUTE_INVALID_CONFIG);
  CHECK(add(R"({"url":"nonsense"})") == LLMROUTE_INVALID_CONFIG);
  CHECK(node_asked(router) == "n1");
  REQUIRE(llmroute_router_drain_node(router, "n1", 2, 1, nullptr) == LLMROUTE_OK);
  CHECK(node_asked(router) == "n2");
  REQUIRE(llmroute_router_drain_node(router, "n1", 2, 0, nullptr) == LLMROUTE_OK);
  CHECK(node_asked(router) == "n1");
  const std::string preferred = n2(0);
  REQUIRE(llmroute_router_update_node(router, preferred.data(), preferred.size(), nullptr) ==
          LLMROUTE_OK);
  CHECK(node_asked(router) == "n2");
  REQUIRE(llmroute_router_remove_node(router, "n2", 2, nullptr) == LLMROUTE_OK);
  CHECK(node_asked(router) == "n1");
  OwnedError error;
  CHECK(llmroute_router_remove_node(router, "n2", 2, &error) == LLMROUTE_INVALID_ARGUMENT);
  CHECK_THAT(llmroute_error_message(error, nullptr), Catch::Contains("n2"));
  CHECK(llmroute_router_drain_node(router, "n2", 2, 1, nullptr) == LLMROUTE_INVALID_ARGUMENT);
}

TEST_CASE("another configuration while the router runs", "[capi]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(first);
  const std::string config =
      R"({"health":{"interval":"3s"},"router":{"seed":5},"nodes":[{"name":"n2",
    "url":")" +
      second.url() + R"(","models":["m"]}]})";
  const auto reload = [&](const std::string& json, char** kept, size_t* len) {
    return llmroute_router_reload(router, json.data(), json.size(), kept, len, nullptr);
  };
  OwnedText kept;
  size_t len = 0;
  REQUIRE(node_asked(router) == "n1");
  REQUIRE(reload(config, &kept, &len) == LLMROUTE_OK);
  CHECK(std::string_view(kept, len) == R"(["router.seed","health"])");
  CHECK(node_asked(router) == "n2");
  CHECK(reload(config, nullptr, nullptr) == LLMROUTE_OK);
  SECTION("is refused whole when it has a fault") {
    OwnedError error;
    const std::string bad = R"({"nodes":[{"url":"nonsense"}]})";
    CHECK(llmroute_router_reload(router, bad.data(), bad.size(), &kept, &len, &error) ==
          LLMROUTE_INVALID_CONFIG);
    CHECK(kept == nullptr);
    CHECK(std::string(llmroute_error_param(error, nullptr)) == "nodes[0].url");
    CHECK(reload("{", &kept, &len) == LLMROUTE_INVALID_CONFIG);
    CHECK(llmroute_router_reload(router, nullptr, 0, &kept, &len, nullptr) ==
          LLMROUTE_INVALID_ARGUMENT);
    CHECK(node_asked(router) == "n2");
  }
}

TEST_CASE("what the router knows, as JSON", "[capi]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const OwnedRouter router = router_for(node);
  REQUIRE(node_asked(router) == "n1");
  OwnedText json;
  size_t len = 0;
  REQUIRE(llmroute_router_snapshot(router, &json, &len, nullptr) == LLMROUTE_OK);
  CHECK(std::string_view(json).size() == len);
  CHECK_THAT(std::string(json),
             Catch::StartsWith(R"({"nodes":[{"name":"n1","url":"http://127.0.0.1:)"));
  CHECK_THAT(std::string(json), Catch::Contains(R"("requests":1,"failures":0)"));
  CHECK_THAT(std::string(json),
             Catch::EndsWith(R"("models":["m"],"queue_depth":0,"in_flight":0})"));
  REQUIRE(llmroute_router_explain(router, hello.data(), hello.size(), nullptr, &json, nullptr,
                                  nullptr) == LLMROUTE_OK);
  CHECK(std::string(json) ==
        R"({"model":"m","strategy":"priority","nodes":[{"node":"n1","admissible":true,)"
        R"("reason":"","score":1,"picked":true,"keys":1,"keys_resting":0}]})");
  OwnedError error;
  CHECK(llmroute_router_explain(router, "nonsense", 8, nullptr, &json, nullptr, &error) ==
        LLMROUTE_INVALID_ARGUMENT);
  CHECK(json == nullptr);
}

TEST_CASE("a blocking call that is interrupted", "[capi][route]") {
  ScriptedUpstream node(Script().hang());
  const OwnedRouter router = router_for(node);
  int asked = 0;
  auto options = sized<llmroute_call_options>();
  options.request_id = "abc";
  options.request_id_len = 3;
  options.interrupted = [](void* count) -> std::int32_t {
    return ++*static_cast<int*>(count) == 2;
  };
  options.interrupted_user_data = &asked;
  OwnedReply reply;
  OwnedError error;
  CHECK(route(router, reply, error, &options) == LLMROUTE_CANCELLED);
  CHECK(asked == 2);
  CHECK(text(llmroute_error_request_id, static_cast<const llmroute_error*>(error)) == "abc");
  CHECK(node.wait_for_gone(1));
}

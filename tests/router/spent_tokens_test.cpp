// What a call has spent, whatever the node says of it and when, and however the caller asks to be
// told.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::int64_t per_minute = 1000;
constexpr std::string_view a_message = R"({"model":"m","max_tokens":9,"messages":[]})";

Config with_token_limit(const ScriptedUpstream& node, Provider provider = Provider::automatic) {
  Config config = config_of(node);
  config.nodes[0].provider = provider;
  config.router.resume = Resume::off;  // token ids are asked for otherwise
  config.limits.default_tpm = per_minute;
  return config;
}

/// By the calls before: this one's own reservation is not among it.
std::int64_t spent_so_far(Router& router) {
  const Result<Stream> next = router.stream({.body = hello});
  REQUIRE(next);
  return per_minute - next->reply().rate.tokens.remaining -
         static_cast<std::int64_t>(hello.size() / 4);
}

std::string typed(const std::string& type, const std::string& rest = "") {
  return "event: " + type + "\ndata: {\"type\":\"" + type + '"' + rest + "}\n\n";
}

/// A message that has told of its prompt, 7 tokens and 5 of a cache, and of three deltas.
std::vector<std::string> begun_message() {
  const std::string delta =
      typed("content_block_delta", R"(,"delta":{"type":"text_delta","text":"x"})");
  return {typed("message_start", R"(,"message":{"usage":{"input_tokens":7,)"
                                 R"("cache_creation_input_tokens":2,"cache_read_input_tokens":3,)"
                                 R"("output_tokens":1}})"),
          delta, delta, delta};
}

Script answer_to_next(const SeenRequest& request, Script first) {
  return request.number == 1 ? std::move(first)
                             : event_stream({chat_chunk("x"), chat_finish(), done()});
}

}  // namespace

TEST_CASE("usage without a total is counted whole", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    const std::string message =
        R"({"type":"message","usage":{"input_tokens":30,"cache_creation_input_tokens":5,)"
        R"("cache_read_input_tokens":10,"output_tokens":20}})";
    return answer_to_next(request, answer(200, message));
  });
  Router router(with_token_limit(node));
  const Result<Reply> reply = router.route({.path = "/v1/messages", .body = a_message});
  REQUIRE(reply);
  CHECK(reply->usage == Usage{45, 20, 65, 10});
  CHECK(spent_so_far(router) == 65);
}

TEST_CASE("a node that tells a total alone is believed", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return answer_to_next(request, answer(200, R"({"results":[],"usage":{"total_tokens":3}})"));
  });
  Router router(with_token_limit(node));
  const std::string long_query = R"({"model":"m","query":")" + std::string(400, 'q') + R"("})";
  REQUIRE(router.route({.path = "/v1/rerank", .body = long_query}));
  CHECK(spent_so_far(router) == 3);
}

TEST_CASE("a streamed message is settled by what its end tells", "[router][limits]") {
  std::vector<std::string> events = begun_message();
  events.push_back(typed("message_delta", R"(,"usage":{"output_tokens":50})"));
  events.push_back(typed("message_stop"));
  ScriptedUpstream node(
      [&](const SeenRequest& request) { return answer_to_next(request, event_stream(events)); });
  Router router(with_token_limit(node));
  Result<Stream> stream = router.stream({.path = "/v1/messages", .body = a_message});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
  CHECK(stream->reply().usage == Usage{12, 50, 62, 3});
  CHECK(spent_so_far(router) == 62);
}

TEST_CASE("who leaves a streamed message pays for what was delivered", "[router][limits]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return answer_to_next(request, event_stream(begun_message(), test::Ending::open).hang());
  });
  Router router(with_token_limit(node));
  {
    Result<Stream> stream = router.stream({.path = "/v1/messages", .body = a_message});
    REQUIRE(stream);
    for (std::size_t i = 0; i < begun_message().size(); ++i) REQUIRE(stream->next());
  }
  CHECK(spent_so_far(router) == 12 + 3);
}

namespace {

/// A stream whose usage says far more than its events do.
const std::vector<std::string> dear_stream = {
    chat_chunk("x"), chat_finish(),
    sse(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":97,"total_tokens":100}})"),
    done()};
const std::string dear_text = chat_chunk("x") + chat_finish();

struct Asked {
  std::string body;   ///< as the node saw it
  std::string shown;  ///< what the caller saw
  std::int64_t spent = 0;
};

Asked ask_for_dear(const Config& config, const ScriptedUpstream& node, const std::string& body) {
  Router router(config);
  Result<Stream> stream = router.stream({.body = body});
  REQUIRE(stream);
  Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  const bool limited = config.limits.default_tpm > 0;
  return {node.requests().back().body, std::move(all.raw), limited ? spent_so_far(router) : 0};
}

std::string with_options(const std::string& options) {
  return R"({"model":"m","stream":true,"stream_options":)" + options + "}";
}

}  // namespace

TEST_CASE("a node of which nothing is known is asked for usage where tokens are limited",
          "[router][limits][usage]") {
  ScriptedUpstream node(event_stream(dear_stream));
  const std::string body = R"({"model":"m", "stream":true})";
  SECTION("and the caller does not see it") {
    const Asked asked = ask_for_dear(with_token_limit(node), node, body);
    CHECK(asked.body == R"({"stream_options":{"include_usage":true},"model":"m", "stream":true})");
    CHECK(asked.shown == dear_text);
    CHECK(asked.spent == 100);
  }
  SECTION("and else gets the caller's bytes") {
    Config config = with_token_limit(node);
    config.limits = {.default_rpm = 10};
    CHECK(ask_for_dear(config, node, body).body == body);
    CHECK(ask_for_dear(config, node, with_options("{}")).body == with_options("{}"));
  }
}

TEST_CASE("stream_options do not switch a limit of tokens off", "[router][limits][usage]") {
  const auto provider = GENERATE(Provider::automatic, Provider::openai);
  const auto [own, sent] = GENERATE(table<std::string, std::string>({
      {"{}", R"({"include_usage":true})"},
      {"null", R"({"include_usage":true})"},
      {R"({"include_usage":false})", R"({"include_usage":true})"},
      {R"({ "a":[1,{}], "include_usage" : null , "b":"}" })",
       R"({ "a":[1,{}], "include_usage" : true , "b":"}" })"},
      {R"({"include_obfuscation":false})", R"({"include_usage":true,"include_obfuscation":false})"},
  }));
  CAPTURE(own);
  ScriptedUpstream node(event_stream(dear_stream));
  const Asked asked = ask_for_dear(with_token_limit(node, provider), node, with_options(own));
  CHECK(asked.body == with_options(sent));
  CHECK(asked.shown == dear_text);
  CHECK(asked.spent == 100);
}

TEST_CASE("a vLLM node is asked for running usage beside the caller's stream_options",
          "[router][limits][usage]") {
  const auto [own, sent] = GENERATE(table<std::string, std::string>({
      {"{}", R"({"include_usage":true,"continuous_usage_stats":true})"},
      {R"({"include_usage":false})", R"({"continuous_usage_stats":true,"include_usage":true})"},
      {R"({"continuous_usage_stats":false})",
       R"({"include_usage":true,"continuous_usage_stats":false})"},
  }));
  ScriptedUpstream node(event_stream(dear_stream));
  const Asked asked = ask_for_dear(with_token_limit(node, Provider::vllm), node, with_options(own));
  CHECK(asked.body == with_options(sent));
  CHECK(asked.shown == dear_text);
}

TEST_CASE("a caller who asks for usage sees it, limit or not", "[router][limits][usage]") {
  ScriptedUpstream node(event_stream(dear_stream));
  const std::string body = with_options(R"({"include_usage":true,"x":1})");
  const Asked asked = ask_for_dear(with_token_limit(node), node, body);
  CHECK(asked.body == body);
  CHECK(asked.shown == dear_text + dear_stream[2]);
  CHECK(asked.spent == 100);
}

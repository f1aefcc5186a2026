// What an alias does with a request on its way: defaults, thinking, the system prompt, weights and
// a strategy of its own.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view chat_with_mine =
    R"({"model":"mine", "messages":[{"role":"user","content":"\u0068i"}] })";

/// One alias "mine" for what the nodes call "m".
Config with_alias(Config config, ModelConfig model) {
  model.name = "mine";
  model.model_id = "m";
  config.models.push_back(std::move(model));
  return config;
}

std::string last_body(const ScriptedUpstream& node) { return node.requests().back().body; }

/// The nodes that a number of calls were answered by, in order.
std::string answered_by(Router& router, int calls) {
  std::string names;
  for (int i = 0; i < calls; ++i) names += router.route_chat(chat_with_mine).value().node + " ";
  return names;
}

}  // namespace

TEST_CASE("default parameters", "[router][models]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const ModelConfig model{.default_params = R"({"temperature":0.70,"max_tokens":4096})"};
  Router router(with_alias(config_of(node), model));

  SECTION("are put into a request that lacks them, and change nothing else in it") {
    REQUIRE(router.route_chat(chat_with_mine));
    CHECK(last_body(node) ==
          R"({"temperature":0.70,"max_tokens":4096,"model":"m", "messages":[{"role":"user",)"
          R"("content":"\u0068i"}] })");
  }
  SECTION("never override what the caller has set") {
    REQUIRE(router.route_chat(R"({"temperature":1,"max_completion_tokens":5,"model":"mine"})"));
    CHECK(last_body(node) == R"({"temperature":1,"max_completion_tokens":5,"model":"m"})");
  }
  SECTION("hold for the alias alone") {
    REQUIRE(router.route_chat(hello));
    CHECK(last_body(node) == hello);
  }
  SECTION("hold on other paths as well") {
    REQUIRE(router.route_completion(R"({"model":"mine","prompt":"a","temperature":0})"));
    CHECK(last_body(node) == R"({"max_tokens":4096,"model":"m","prompt":"a","temperature":0})");
  }
}

TEST_CASE("default parameters count for what the router itself reads of a request",
          "[router][models]") {
  ScriptedUpstream node(event_stream({chat_chunk("a"), chat_finish(), done()}));
  Config config = config_of(node);
  config.nodes[0].provider = Provider::openai;
  const ModelConfig model{.default_params = R"({"stream_options":{"include_usage":false}})"};
  Router router(with_alias(config, model));
  Result<Stream> stream = router.stream({.body = R"({"model":"mine","stream":true})"});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
  CHECK(last_body(node) ==
        R"({"stream_options":{"include_usage":false},"model":"m","stream":true})");
}

TEST_CASE("stream options are no default of a request for a whole answer", "[router][models]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  const ModelConfig model{.default_params = R"({"stream_options":{"include_usage":true}})"};
  Router router(with_alias(config_of(node), model));
  REQUIRE(router.route_chat(R"({"model":"mine"})"));
  CHECK(last_body(node) == R"({"model":"m"})");
}

TEST_CASE("a prefix of the system prompt", "[router][models]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  ModelConfig model;
  model.transforms.system_prompt_prefix = "Say \"no\".\n";
  Router router(with_alias(config_of(node), model));

  SECTION("comes first in a chat") {
    REQUIRE(router.route_chat(chat_with_mine));
    CHECK(last_body(node) ==
          R"({"model":"m", "messages":[{"role":"system","content":"Say \"no\".\n"},)"
          R"({"role":"user","content":"\u0068i"}] })");
  }
  SECTION("is in front of the caller's own") {
    REQUIRE(router.route_chat(R"({"messages":[{"role":"system","content":"Hi"}],"model":"mine"})"));
    CHECK(last_body(node) ==
          R"({"messages":[{"role":"system","content":"Say \"no\".\nHi"}],"model":"m"})");
  }
  SECTION("is for chats alone") {
    REQUIRE(router.route_completion(R"({"model":"mine","prompt":"a","messages":[]})"));
    CHECK(last_body(node) == R"({"model":"m","prompt":"a","messages":[]})");
  }
  SECTION("leaves a request alone that has no messages") {
    REQUIRE(router.route_chat(R"({"model":"mine","messages":7})"));
    REQUIRE(router.route_chat(R"({"model":"mine"})"));
    CHECK(last_body(node) == R"({"model":"m"})");
  }
}

TEST_CASE("thinking is turned on as each node calls it", "[router][models]") {
  ScriptedUpstream first(answer(503, "{}"));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.nodes[0].provider = GENERATE(Provider::vllm, Provider::automatic);
  config.nodes[1].provider = Provider::openai;
  const ModelConfig model{.default_params = R"({"top_p":1})",
                          .reasoning_config = R"({"enabled":true,"effort":"low"})"};
  Router router(with_alias(config, model));
  REQUIRE(router.route_chat(R"({"model":"mine"})"));
  CHECK(last_body(first) ==
        R"({"chat_template_kwargs":{"enable_thinking":true},"reasoning_effort":"low","top_p":1,)"
        R"("model":"m"})");
  CHECK(last_body(second) == R"({"reasoning_effort":"low","top_p":1,"model":"m"})");
}

TEST_CASE("a fallback has the defaults of its own alias, and no others", "[router][models]") {
  ScriptedUpstream first(answer(503, "{}"));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  const auto plain = GENERATE(false, true);
  Config config = config_of(first, second);
  config.models.push_back({.name = "a",
                           .model_id = "m",
                           .nodes = {"n1"},
                           .fallbacks = {"b"},
                           .default_params = R"({"seed":1,"top_p":1})"});
  config.models.push_back({.name = "b", .model_id = "m", .nodes = {"n2"}});
  if (!plain) config.models[1].default_params = R"({"seed":2})";
  Router router(config);
  const Result<Reply> reply = router.route_chat(R"({"model":"a"})");
  REQUIRE(reply);
  CHECK(reply->model == "b");
  CHECK(last_body(first) == R"({"seed":1,"top_p":1,"model":"m"})");
  CHECK(last_body(second) == (plain ? R"({"model":"m"})" : R"({"seed":2,"model":"m"})"));
}

TEST_CASE("a stream that dies is asked for again with the same defaults", "[router][models]") {
  ScriptedUpstream first(event_stream({chat_chunk("a")}, Ending::open).close());
  ScriptedUpstream second(event_stream({chat_chunk("a"), chat_chunk("b"), chat_finish(), done()}));
  const ModelConfig model{.default_params = R"({"temperature":0})",
                          .transforms = {.system_prompt_prefix = "P"}};
  Router router(with_alias(config_of(first, second), model));
  Result<Stream> stream =
      router.stream({.body = R"({"model":"mine","stream":true,"messages":[]})"});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
  CHECK(stream->reply().node == "n2");
  CHECK(last_body(first) ==
        R"({"temperature":0,"model":"m","stream":true,"messages":[{"role":"system",)"
        R"("content":"P"}]})");
  CHECK(last_body(second) == last_body(first));
}

TEST_CASE("a model's weights count for it", "[router][models]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.router.strategy = "weighted_round_robin";
  const ModelConfig model{.weights = {{"n1", 0}, {"n2", 3}}};
  Router router(with_alias(config, model));
  CHECK(answered_by(router, 4) == "n2 n2 n2 n2 ");
  int by_first = 0;
  for (int i = 0; i < 4; ++i) by_first += router.route_chat(hello)->node == "n1" ? 1 : 0;
  CHECK(by_first == 2);
}

TEST_CASE("a model's strategy counts for it", "[router][models]") {
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  const ModelConfig model{.strategy = "round_robin"};
  Router router(with_alias(config_of(first, second), model));
  const std::string in_turn = answered_by(router, 4);
  CHECK((in_turn == "n1 n2 n1 n2 " || in_turn == "n2 n1 n2 n1 "));
  for (int i = 0; i < 3; ++i) CHECK(router.route_chat(hello)->node == "n1");  // priority
  CHECK(router.explain({.body = chat_with_mine})->strategy == "round_robin");
  CHECK(router.explain({.body = hello})->strategy == "priority");
}

TEST_CASE("a model that is not active", "[router][models]") {
  ScriptedUpstream first(answer(503, "{}"));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Config config = config_of(first, second);
  config.models = {
      {.name = "a", .model_id = "m", .nodes = {"n1"}, .fallbacks = {"off", "b"}},
      {.name = "off", .model_id = "m", .nodes = {"n2"}, .active = false},
      {.name = "b", .model_id = "m", .nodes = {"n2"}},
  };
  Router router(config);
  SECTION("cannot be asked for, and is not listed") {
    const Result<Reply> reply = router.route_chat(R"({"model":"off"})");
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::model_not_found);
    CHECK(reply.error().message == R"(no model "off"; there are: a, b, m)");
  }
  SECTION("is passed over as a fallback") {
    const Result<Reply> reply = router.route_chat(R"({"model":"a"})");
    REQUIRE(reply);
    CHECK(reply->model == "b");
  }
}

TEST_CASE("of many models twenty are named to who asks for another", "[router][models]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  config.nodes[0].models.clear();
  for (int i = 10; i < 35; ++i) config.nodes[0].models.push_back("m" + std::to_string(i));
  Router router(config);
  for (const char* body : {R"({"model":"zz"})", "{}"}) {
    const Result<Reply> reply = router.route_chat(body);
    REQUIRE_FALSE(reply);
    CHECK_THAT(reply.error().message, Catch::Contains(": m10, m11, "));
    CHECK_THAT(reply.error().message, Catch::EndsWith(", m28, m29 and 5 more"));
  }
}

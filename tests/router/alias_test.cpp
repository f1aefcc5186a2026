// Callers see the name they asked for: in whole answers and streams, on every path, and in what a
// node says of a model it has not got.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

Config aliased(const ScriptedUpstream& node) {
  Config config = config_of(node);
  config.nodes[0].models = {"org/big"};
  config.models.push_back({.name = "mine", .model_id = "org/big"});
  return config;
}

Result<Reply> ask(const ScriptedUpstream& node, std::string_view path, std::string_view body) {
  Router router(aliased(node));
  return router.route({.path = path, .body = body});
}

Collected read(const ScriptedUpstream& node, std::string_view path, std::string_view body) {
  Router router(aliased(node));
  Result<Stream> stream = router.stream({.path = path, .body = body});
  REQUIRE(stream);
  return collect(*stream);
}

}  // namespace

TEST_CASE("an answer carries the alias, and is the node's byte for byte beside it",
          "[router][alias]") {
  struct Row {
    const char* path;
    const char* question;
    std::string before;
    std::string after;
  };
  const auto row = GENERATE(
      Row{"/v1/chat/completions", R"({"model":"mine"})", R"({"x":{"model":"org/big"}, "model" : )",
          R"( ,"choices":[{"text":"org/big"}]})"},
      Row{"/v1/completions", R"({"model":"mine","prompt":"a"})", R"({"id":"c","model":)",
          R"(,"choices":[{"text":"\u00e9"}]})"},
      Row{"/v1/embeddings", R"({"model":"mine","input":"a"})",
          R"({"object":"list","data":[{"embedding":[0.10]}],"model":)", R"(})"},
      Row{"/v1/responses", R"({"model":"mine","input":"a"})", R"({"object":"response","model":)",
          R"(,"output":[{"model":"org/big"}]})"},
      Row{"/v1/rerank", R"({"model":"mine","query":"a"})", R"({"model":)", R"(,"results":[]})"});
  INFO(row.path);
  ScriptedUpstream node(answer(200, row.before + R"("org/big")" + row.after));
  const Result<Reply> reply = ask(node, row.path, row.question);
  REQUIRE(reply);
  CHECK(reply->body == row.before + R"("mine")" + row.after);
  CHECK(reply->model == "mine");
}

TEST_CASE("every chunk of a stream carries the alias", "[router][alias]") {
  SECTION("of chats") {
    ScriptedUpstream node(
        event_stream({chat_chunk("", "org/big"), chat_chunk("a", "org/big"),
                      chat_chunk("b", "org/big"), chat_finish("stop", "org/big"), done()}));
    const Collected all = read(node, "/v1/chat/completions", R"({"model":"mine"})");
    CHECK_FALSE(all.error);
    CHECK(all.raw == chat_chunk("", "mine") + chat_chunk("a", "mine") + chat_chunk("b", "mine") +
                         chat_finish("stop", "mine"));
  }
  SECTION("of completions") {
    const auto text = [](const std::string& model) {
      return sse(R"({"id":"c", "choices":[{"index":0,"text":"a","finish_reason":null}],"model": ")" +
                 model + R"(" })") +
             sse(R"({"model":")" + model +
                 R"(","choices":[{"index":0,"text":"","finish_reason":"stop"}]})");
    };
    ScriptedUpstream node(event_stream({text("org/big"), done()}));
    const Collected all = read(node, "/v1/completions", R"({"model":"mine","prompt":"a"})");
    CHECK_FALSE(all.error);
    CHECK(all.raw == text("mine"));
  }
  SECTION("of responses, where it stands in the response") {
    const auto events = [](const std::string& model) {
      const auto with_response = [&](const std::string& type) {
        return "event: " + type + "\ndata: {\"type\":\"" + type + R"(","response":{"model":")" +
               model + R"(","tools":[{"model":"org/big"}],"usage":null},"n":1})" + "\n\n";
      };
      return with_response("response.created") + with_response("response.in_progress") +
             "data: {\"type\":\"response.output_text.delta\",\"delta\":\"org/big\"}\n\n" +
             with_response("response.completed");
    };
    ScriptedUpstream node(event_stream({events("org/big")}));
    const Collected all = read(node, "/v1/responses", R"({"model":"mine","input":"a"})");
    CHECK_FALSE(all.error);
    CHECK(all.raw == events("mine"));
  }
  SECTION("of messages, where the message begins") {
    const auto events = [](const std::string& model) {
      return R"(data: {"type":"message_start","message":{"id":"x","model":")" + model +
             R"(","content":[]}})" + "\n\n" +
             R"(data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}})" +
             "\n\ndata: {\"type\":\"message_stop\"}\n\n";
    };
    ScriptedUpstream node(event_stream({events("org/big")}));
    const Collected all = read(node, "/v1/messages", R"({"model":"mine","messages":[]})");
    CHECK_FALSE(all.error);
    CHECK(all.raw == events("mine"));
  }
}

TEST_CASE("a node that has not got the model is quoted with the alias", "[router][alias]") {
  const auto says = [](const std::string& model) {
    return R"({"error":{"message":"The model `)" + model +
           R"(` does not exist.","type":"NotFoundError","param":"model","code":404}})";
  };
  ScriptedUpstream node(answer(404, says("org/big")));
  const Result<Reply> reply = ask(node, "/v1/chat/completions", R"({"model":"mine"})");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::model_not_found);
  CHECK(reply.error().body == says("mine"));
  CHECK_THAT(reply.error().message, !Catch::Contains("org/big"));
}

TEST_CASE("what else a node refuses is passed on as it said it", "[router][alias]") {
  const std::string body = R"({"error":{"message":"org/big wants messages","code":400}})";
  ScriptedUpstream node(answer(400, body));
  const Result<Reply> reply = ask(node, "/v1/chat/completions", R"({"model":"mine"})");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().body == body);
}

// Which model a request is for: the one it names, by a name of some length, or the default.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view empty_name = R"({"model":"","messages":[]})";

/// Beside "m" itself, which the node lists.
Config with_alias_as_default(const ScriptedUpstream& node) {
  Config config = config_of(node);
  config.models.push_back(
      {.name = "mine", .model_id = "m", .default_params = R"({"temperature":0})"});
  config.router.default_model = "mine";
  return config;
}

}  // namespace

TEST_CASE("a request with an empty model is for the default one", "[router][asked]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  SECTION("the only one there is") {
    Router router(config_of(node));
    const Result<Reply> reply = router.route_chat(empty_name);
    REQUIRE(reply);
    CHECK(reply->model == "m");
    CHECK(node.requests()[0].body == R"({"model":"m","messages":[]})");
    CHECK(router.explain({.body = empty_name})->model == "m");
  }
  SECTION("the configured one, with all that its entry says") {
    Router router(with_alias_as_default(node));
    const Result<Reply> reply = router.route_chat(empty_name);
    REQUIRE(reply);
    CHECK(reply->model == "mine");
    CHECK(node.requests()[0].body == R"({"temperature":0,"model":"m","messages":[]})");
    CHECK(router.explain({.body = empty_name})->model == "mine");
  }
  SECTION("with its limits") {
    Config config = with_alias_as_default(node);
    config.limits.per_tenant_model = {{.model = "mine", .rpm = 1}};
    Router router(config);
    CHECK(router.route_chat(R"({"model":"mine"})"));
    const Result<Reply> refused = router.route_chat(empty_name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::rate_limited);
  }
  SECTION("which may be no longer active") {
    Config config = with_alias_as_default(node);
    config.models[0].active = false;
    Router router(config);
    const Result<Reply> refused = router.route_chat(empty_name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::model_not_found);
    CHECK(node.request_count() == 0);
  }
}

TEST_CASE("a stream with an empty model is for the default one", "[router][asked]") {
  ScriptedUpstream node(event_stream({chat_chunk("x"), chat_finish(), done()}));
  Router router(with_alias_as_default(node));
  Result<Stream> stream = router.stream({.body = R"({"model":"","stream":true})"});
  REQUIRE(stream);
  CHECK(collect(*stream).raw == chat_chunk("x", "mine") + chat_finish("stop", "mine"));
  CHECK(node.requests()[0].body == R"({"temperature":0,"model":"m","stream":true})");
}

TEST_CASE("of several models one has to be named, by more than an empty name", "[router][asked]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  config.nodes[0].models = {"a", "b"};
  Router router(config);
  for (const std::string_view body : {empty_name, std::string_view(R"({"messages":[]})")}) {
    const Result<Reply> refused = router.route_chat(body);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK(refused.error().param == "model");
    CHECK(refused.error().message == "the request names no model and there are several: a, b");
  }
  CHECK(node.request_count() == 0);
}

TEST_CASE("where no model is known a request without one goes to any node", "[router][asked]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  config.nodes[0].models.clear();
  Router router(config);
  CHECK(router.route_chat(empty_name));
  CHECK(node.requests()[0].body == empty_name);
}

TEST_CASE("a model's name has 256 bytes at most", "[router][asked]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  config.nodes[0].models.clear();
  Router router(config);
  const auto named = [](std::size_t length) {
    return R"({"model":")" + std::string(length, 'x') + R"("})";
  };
  CHECK(router.route_chat(named(256)));
  const Result<Reply> plain = router.route_chat(named(257));
  REQUIRE_FALSE(plain);
  CHECK(plain.error().code == ErrorCode::invalid_argument);
  CHECK(plain.error().param == "model");
  const std::string body = named(257);
  const Result<Stream> stream = router.stream({.body = body});
  REQUIRE_FALSE(stream);
  CHECK(stream.error().param == "model");
  CHECK(node.request_count() == 1);
}

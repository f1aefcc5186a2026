// Requests that are passed on unread, of which the caller says for which model they are.
#include "router/router_fixture.hpp"
#include "router/started_call.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view form = "--b\r\n\r\nwhisper\r\n--b--";

Request transcription(std::string_view model) {
  return {.path = "/v1/audio/transcriptions",
          .body = form,
          .headers = {{"Content-Type", "multipart/form-data; boundary=b"}},
          .options = {.model = model}};
}

/// The first node has chats, the second ears, by a name of its own.
Config with_ears(const ScriptedUpstream& chats, const ScriptedUpstream& ears) {
  Config config = config_of(chats, ears);
  config.nodes[1].models = {"whisper-1"};
  config.models = {{.name = "whisper", .model_id = "whisper-1"},
                   {.name = "off", .model_id = "whisper-1", .active = false}};
  return config;
}

/// Why a request for the model ends without an answer.
ErrorCode refusal_of(Router& router, std::string_view model) {
  const Result<Reply> reply = router.route(transcription(model));
  REQUIRE_FALSE(reply);
  return reply.error().code;
}

}  // namespace

TEST_CASE("a request that is passed on goes to a node of its model", "[router][relay]") {
  ScriptedUpstream chats(answer(200, "{}"));
  ScriptedUpstream ears(answer(200, R"({"text":"x"})"));
  Router router(with_ears(chats, ears));
  for (const std::string_view model : {"whisper", "whisper-1"}) {
    const Result<Reply> reply = router.route(transcription(model));
    REQUIRE(reply);
    CHECK(reply->node == "n2");
    CHECK(reply->model == model);
    CHECK(ears.requests().back().body == form);
  }
  CHECK(chats.request_count() == 0);
  CHECK(router.route(transcription(""))->node == "n1");
  CHECK(router.route(transcription(""))->model.empty());
}

TEST_CASE("a request that is passed on for a model that is not to be asked is refused",
          "[router][relay]") {
  ScriptedUpstream chats(answer(200, "{}"));
  ScriptedUpstream ears(answer(200, "{}"));
  Router router(with_ears(chats, ears));
  const Result<Reply> inactive = router.route(transcription("off"));
  REQUIRE_FALSE(inactive);
  CHECK(inactive.error().code == ErrorCode::model_not_found);
  CHECK(inactive.error().param == "model");
  CHECK_THAT(inactive.error().message, Catch::EndsWith("there are: m, whisper, whisper-1"));
  const std::string too_long(257, 'x');
  const Result<Reply> reply = router.route(transcription(too_long));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::invalid_argument);
  CHECK(reply.error().param == "model");
  CHECK(chats.request_count() + ears.request_count() == 0);
}

TEST_CASE("a request that is passed on for a model that no node lists may go to any",
          "[router][relay]") {
  ScriptedUpstream chats(answer(200, "{}"));
  ScriptedUpstream ears(answer(200, "{}"));
  Config config = with_ears(chats, ears);
  SECTION("and counts for it all the same") {
    config.limits.per_tenant_model = {{.model = "tts", .rpm = 1}};
    Router router(config);
    const Result<Reply> reply = router.route(transcription("tts"));
    REQUIRE(reply);
    CHECK(reply->node == "n1");
    CHECK(refusal_of(router, "tts") == ErrorCode::rate_limited);
    CHECK(router.route(transcription("other")));
  }
  SECTION("and names that nobody knows share a limit") {
    config.limits.default_rpm = 2;
    Router router(config);
    CHECK(router.route(transcription("one")));
    CHECK(router.route(transcription("two")));
    CHECK(refusal_of(router, "three") == ErrorCode::rate_limited);
    CHECK(router.route(transcription("whisper")));
  }
  SECTION("whether or not there is a node that may have all models") {
    config.nodes[1].models.clear();
    config.models.clear();
    Router router(config);
    const Result<Reply> reply = router.route(transcription("tts"));
    REQUIRE(reply);
    CHECK(reply->node == "n1");
  }
  SECTION("unless such models are refused") {
    config.router.unlisted_models = UnlistedModels::refuse;
    Router router(config);
    CHECK(refusal_of(router, "tts") == ErrorCode::model_not_found);
    CHECK(chats.request_count() == 0);
  }
}

TEST_CASE("a request that is passed on counts for its model", "[router][relay][limits]") {
  ScriptedUpstream chats(answer(200, "{}"));
  ScriptedUpstream ears(answer(200, "{}"));
  Config config = with_ears(chats, ears);
  config.limits.per_tenant_model = {{.model = "whisper", .rpm = 1}};
  Router router(config);
  CHECK(router.route(transcription("whisper")));
  const Result<Reply> refused = router.route(transcription("whisper"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::rate_limited);
  CHECK_THAT(refused.error().message, Catch::Contains(R"(for model "whisper")"));
  for (int i = 0; i < 3; ++i) CHECK(router.route(transcription("whisper-1")));
}

TEST_CASE("a call that is started keeps the model it was given", "[router][relay]") {
  ScriptedUpstream chats(answer(200, "{}"));
  ScriptedUpstream ears(answer(200, "{}"));
  Router router(with_ears(chats, ears));
  std::string model = "whisper";
  Started call(router, transcription(model));
  model.assign("gone!!!");
  const Result<Reply>& reply = call.wait();
  REQUIRE(reply);
  CHECK(reply->model == "whisper");
}

TEST_CASE("where the body is read its own model counts before that of the options",
          "[router][relay]") {
  ScriptedUpstream chats(answer(200, chat_completion("x")));
  ScriptedUpstream ears(answer(200, chat_completion("x")));
  Config config = with_ears(chats, ears);
  config.router.default_model = "m";
  Router router(config);
  const CallOptions options{.model = "whisper"};
  const Result<Reply> reply = router.route({.body = hello, .options = options});
  REQUIRE(reply);
  CHECK(reply->model == "m");
  const Request nameless{.body = R"({"messages":[]})", .options = options};
  const Result<Reply> by_options = router.route(nameless);
  REQUIRE(by_options);
  CHECK(by_options->model == "whisper");
  CHECK(ears.requests().back().body == R"({"model":"whisper-1","messages":[]})");
  CHECK(router.explain(nameless)->model == "whisper");
}

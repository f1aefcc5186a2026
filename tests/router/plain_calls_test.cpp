// Plain calls: one whole answer, or one error that says why not.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a plain call", "[router]") {
  SECTION("returns the node's answer byte for byte") {
    ScriptedUpstream node(answer(200, chat_completion("hello")));
    Router router(config_of(node));
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE(reply);
    CHECK(reply->body == chat_completion("hello"));
    CHECK(reply->http_status == 200);
    CHECK(reply->node == "n1");
    CHECK(reply->model == "m");
    CHECK(reply->request_id.size() == 15);
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1"});
    REQUIRE(node.request_count() == 1);
    CHECK(node.requests()[0].body == hello);
    CHECK(node.requests()[0].target == "/v1/chat/completions");
  }
  SECTION("asks other paths by their own names") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Router router(config_of(node));
    CHECK(router.route_completion(R"({"model":"m","prompt":"a"})"));
    CHECK(router.route_embedding(R"({"model":"m","input":"a"})"));
    CHECK(node.requests()[0].target == "/v1/completions");
    CHECK(node.requests()[1].target == "/v1/embeddings");
    CHECK(node.connections() == 1);
  }
  SECTION("sends the caller's fields, its id and the node's key") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Config config = config_of(node);
    config.nodes[0].api_key = "secret-1";
    config.nodes[0].headers.add("X-Node", "yes");
    Router router(config);
    REQUIRE(
        router.route({.body = hello,
                      .headers = {{"traceparent", "00-1-2-01"}, {"x-stainless-retry-count", "2"}},
                      .options = {.request_id = "req-1"}}));
    const Headers seen = node.requests()[0].headers;
    CHECK(seen.find("authorization") == "Bearer secret-1");
    CHECK(seen.find("x-node") == "yes");
    CHECK(seen.find("traceparent") == "00-1-2-01");
    CHECK(seen.find("x-request-id") == "req-1");
    CHECK(seen.find("x-stainless-retry-count") == "2");
  }
  SECTION("refuses a body that asks for a stream, and names the field") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Router router(config_of(node));
    const Result<Reply> reply = router.route_chat(R"({"model":"m","stream":true})");
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::invalid_argument);
    CHECK(reply.error().param == "stream");
    CHECK(node.request_count() == 0);
  }
  SECTION("names the models there are when it asks for another") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Router router(config_of(node));
    const Result<Reply> reply = router.route_chat(R"({"model":"zz"})");
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::model_not_found);
    CHECK(reply.error().message == R"(no model "zz"; there are: m)");
  }
  SECTION("gets the only model there is when it names none") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Router router(config_of(node));
    REQUIRE(router.route_chat(R"({"messages":[]})"));
    CHECK(node.requests()[0].body == R"({"model":"m","messages":[]})");
  }
}

TEST_CASE("an alias", "[router]") {
  const std::string sent = R"({"n":1.0e0, "model" : "fast","\u0061":"\/"})";
  ScriptedUpstream node(answer(200, chat_completion("x", "m")));
  Config config = config_of(node);
  config.models.push_back({.name = "fast", .model_id = "m"});
  Router router(config);
  const Result<Reply> reply = router.route_chat(sent);
  REQUIRE(reply);
  CHECK(node.requests()[0].body == R"({"n":1.0e0, "model" : "m","\u0061":"\/"})");
  CHECK(reply->body == chat_completion("x", "fast"));
}

TEST_CASE("a failure before the answer", "[router][failover]") {
  struct Row {
    const char* what;
    Script script;
    ErrorCode code;
  };
  const auto row = GENERATE(
      Row{"500", answer(500, "{}"), ErrorCode::upstream_error},
      Row{"503", answer(503, "{}"), ErrorCode::upstream_error},
      Row{"429", answer(429, "{}"), ErrorCode::rate_limited},
      Row{"401", answer(401, R"({"error":{"message":"no"}})"), ErrorCode::node_rejected},
      Row{"404 model",
          answer(404, R"({"error":{"message":"The model `m` does not exist.","code":404}})"),
          ErrorCode::model_not_found},
      Row{"404 path", answer(404, R"({"detail":"Not Found"})"), ErrorCode::node_rejected},
      Row{"302", answer(302, "", {{"Location", "http://127.0.0.1:1/"}}), ErrorCode::bad_upstream},
      Row{"error in 200", answer(200, R"({"error":{"message":"x"}})"), ErrorCode::upstream_error},
      Row{"html", answer(200, "<html>busy</html>"), ErrorCode::bad_upstream},
      Row{"empty", answer(200, ""), ErrorCode::bad_upstream},
      Row{"null", answer(200, "null"), ErrorCode::bad_upstream},
      Row{"half a body", answer(200, chat_completion("hello")).cut_at(150),
          ErrorCode::bad_upstream},
      Row{"reset at once", Script{}.reset(), ErrorCode::upstream_error},
      Row{"closed at once", Script{}.close(), ErrorCode::upstream_error});
  INFO(row.what);
  ScriptedUpstream bad(row.script);
  ScriptedUpstream good(answer(200, chat_completion("good")));

  SECTION("is retried elsewhere") {
    Router router(config_of(bad, good));
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE(reply);
    CHECK(reply->node == "n2");
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n2"});
    REQUIRE(reply->attempts[0].error);
    CHECK(*reply->attempts[0].error == row.code);
    const Headers seen = good.requests()[0].headers;
    CHECK(seen.find("x-stainless-retry-count") == "1");
  }
  SECTION("is what the caller is told when no node is left") {
    Config config = config_of(bad);
    config.router.max_retries = 0;
    Router router(config);
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == row.code);
    CHECK(reply.error().node == "n1");
    CHECK(reply.error().attempts.size() == 1);
    CHECK_FALSE(reply.error().message.empty());
  }
}

TEST_CASE("a request that a node refuses", "[router]") {
  const std::string body = R"({"error":{"message":"'messages' is required","code":400}})";
  const int status = GENERATE(400, 413, 422);
  ScriptedUpstream node(answer(status, body));
  ScriptedUpstream other(answer(200, chat_completion("x")));
  Router router(config_of(node, other));
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::node_rejected);
  CHECK(reply.error().client_status() == status);
  CHECK(reply.error().body == body);
  CHECK(other.request_count() == 0);
}

TEST_CASE("a lone node", "[router][retry]") {
  SECTION("is asked again after a backoff") {
    ScriptedUpstream node(
        std::vector{answer(503, "{}"), answer(503, "{}"), answer(200, chat_completion("x"))});
    Router router(config_of(node));
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE(reply);
    CHECK(reply->attempts.size() == 3);
  }
  SECTION("is asked max_retries times more and no oftener") {
    ScriptedUpstream node(answer(503, "{}"));
    Router router(config_of(node));
    CHECK_FALSE(router.route({.body = hello, .options = {.max_retries = 1}}));
    CHECK(node.request_count() == 2);
  }
  SECTION("is refused fast once its breaker is open") {
    Config config = config_for({"http://127.0.0.1:" + std::to_string(refused_port())});
    Router router(config);
    const Result<Reply> first = router.route_chat(hello);
    REQUIRE_FALSE(first);
    CHECK(first.error().code == ErrorCode::connect_failed);
    CHECK(first.error().attempts.size() == 3);
    const Result<Reply> second = router.route_chat(hello);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::no_healthy_node);
    CHECK(second.error().attempts.empty());
    CHECK(second.error().retry_after.has_value());
    CHECK(router.snapshot().nodes[0].breaker == "open");
    CHECK(router.snapshot().nodes[0].connect_errors == 3);
  }
}

TEST_CASE("a fallback model serves what the first model's nodes cannot", "[router][fallback]") {
  ScriptedUpstream big(answer(503, "{}"));
  ScriptedUpstream small(answer(200, chat_completion("x", "small-id")));
  Config config = config_of(big, small);
  config.nodes[0].models = {"big-id"};
  config.nodes[1].models = {"small-id"};
  config.models = {{.name = "big", .model_id = "big-id", .fallbacks = {"small"}},
                   {.name = "small", .model_id = "small-id"}};
  int asked_again = 0;  // the last retry is kept for the fallback
  SECTION("with one retry") { config.router.max_retries = 1; }
  SECTION("with two") { config.router.max_retries = 2, asked_again = 1; }
  Router router(config);
  const Result<Reply> reply = router.route_chat(R"({"model":"big"})");
  REQUIRE(reply);
  CHECK(reply->model == "small");
  CHECK(reply->body == chat_completion("x", "small"));
  CHECK(big.request_count() == 1 + asked_again);
  CHECK(small.requests().back().body == R"({"model":"small-id"})");
}

TEST_CASE("a fallback model is asked for on other nodes first", "[router][fallback]") {
  ScriptedUpstream first([](const SeenRequest& request) {
    const bool big = request.body.find("big") != std::string::npos;
    return big ? answer(503, "{}") : answer(200, chat_completion("x", "small"));
  });
  ScriptedUpstream second(answer(200, chat_completion("x", "small")));
  Config config = config_of(first, second);
  config.router.max_retries = 1;
  config.nodes[0].models = {"big", "small"};
  config.models = {{.name = "big", .fallbacks = {"small"}}};
  SECTION("which serve it, too") {
    config.nodes[1].models = {"small"};
    Router router(config);
    const Result<Reply> reply = router.route_chat(R"({"model":"big"})");
    REQUIRE(reply);
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n2"});
  }
  SECTION("or, where there are none, on the one that failed") {
    config.nodes[1].models = {"other"};
    Router router(config);
    const Result<Reply> reply = router.route_chat(R"({"model":"big"})");
    REQUIRE(reply);
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n1"});
  }
}

TEST_CASE("a fallback for a model that nobody was asked for costs no retry", "[router][fallback]") {
  ScriptedUpstream big(answer(503, "{}"));
  ScriptedUpstream small(answer(200, chat_completion("x", "small")));
  Config config = config_of(big, small);
  config.router.max_retries = 0;
  config.nodes[0].models = {"big"};
  config.nodes[1].models = {"small"};
  config.models = {{.name = "big", .fallbacks = {"small"}}};
  Router router(config);
  SECTION("so there may be none") {
    REQUIRE(router.drain_node("n1", true));
    const Result<Reply> reply = router.route_chat(R"({"model":"big"})");
    REQUIRE(reply);
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n2"});
  }
  SECTION("but one for a model that failed does") {
    CHECK_FALSE(router.route_chat(R"({"model":"big"})"));
    CHECK(small.request_count() == 0);
  }
}

TEST_CASE("what leads to a fallback model", "[router][fallback]") {
  const auto error = [](int status, const std::string& code) {
    return answer(status, R"({"error":{"message":"no","code":")" + code + R"("}})");
  };
  const auto asked_with = [](const Script& refusal) {
    ScriptedUpstream big(refusal);
    ScriptedUpstream small(answer(200, chat_completion("x", "small")));
    ScriptedUpstream wide(answer(200, chat_completion("x", "wide")));
    Config config = config_of(big, small, wide);
    config.nodes[0].models = {"big"};
    config.nodes[1].models = {"small"};
    config.nodes[2].models = {"wide"};
    config.models = {{.name = "big", .fallbacks = {"small"}, .context_window_fallbacks = {"wide"}}};
    Router router(config);
    const Result<Reply> reply = router.route_chat(R"({"model":"big"})");
    return reply ? reply->model : std::string(traits(reply.error().code).name);
  };
  CHECK(asked_with(answer(503, "{}")) == "small");
  CHECK(asked_with(error(401, "invalid_api_key")) == "small");
  CHECK(asked_with(error(429, "insufficient_quota")) == "small");
  CHECK(asked_with(error(404, "model_not_found")) == "small");
  CHECK(asked_with(error(400, "context_length_exceeded")) == "wide");
  CHECK(asked_with(error(400, "bad")) == "node_rejected");
}

TEST_CASE("a node that is picked and not asked has had no request", "[router]") {
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Config config = config_of(bad, good);
  config.router.max_retries = 0;
  Router router(config);
  CHECK_FALSE(router.route_chat(hello));
  CHECK(router.snapshot().nodes[0].requests == 1);
  CHECK(router.snapshot().nodes[1].requests == 0);
}

TEST_CASE("a call's deadline", "[router][deadline]") {
  ScriptedUpstream node(Script{}.hang());
  Config config = config_of(node);
  Router router(config);
  const Result<Reply> reply = router.route({.body = hello, .options = {.deadline = 50ms}});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::deadline_exceeded);
  REQUIRE(reply.error().attempts.size() == 1);
  CHECK(reply.error().attempts[0].node == "n1");
  CHECK(node.wait_for_gone(1));
  CHECK(router.snapshot().in_flight == 0);
  CHECK(router.snapshot().nodes[0].in_flight == 0);
  CHECK(router.snapshot().nodes[0].timeout_errors == 1);
}

TEST_CASE("each clock moves a plain call on", "[router][clocks]") {
  ScriptedUpstream silent(Script{}.hang());
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Config config = config_of(silent, good);
  SECTION("response") { config.timeouts.response = 50ms; }
  SECTION("attempt") { config.timeouts.attempt = 50ms; }
  Router router(config);
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->node == "n2");
  CHECK(*reply->attempts[0].error == ErrorCode::upstream_timeout);
  CHECK(silent.wait_for_gone(1));
}

// Keys that nodes refuse: how long they rest, and which one is used instead.
#include <map>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// A node that answers each key as `scripts` say, and takes all others.
ScriptedUpstream::Handler by_key(std::map<std::string, Script> scripts, Script good) {
  return [scripts = std::move(scripts), good = std::move(good)](const SeenRequest& request) {
    const std::string sent(request.headers.find("authorization").value_or(""));
    const auto found = scripts.find(sent);
    return found == scripts.end() ? good : found->second;
  };
}

const std::string key_1 = "Bearer secret-1";
const std::string key_2 = "Bearer secret-2";

Config with_two_keys(const ScriptedUpstream& node) {
  Config config = config_of(node);
  config.nodes[0].api_key = "secret-1";
  config.nodes[0].api_keys = {"secret-2"};
  return config;
}

Script busy(const std::string& retry_after) {
  return answer(429, R"({"error":{"message":"slow down"}})", {{"Retry-After", retry_after}});
}

std::vector<int> keys_used(const std::vector<AttemptRecord>& attempts) {
  std::vector<int> keys;
  for (const AttemptRecord& attempt : attempts) keys.push_back(attempt.key);
  return keys;
}

std::vector<std::string> keys_seen(const ScriptedUpstream& node) {
  std::vector<std::string> keys;
  for (const SeenRequest& request : node.requests()) {
    keys.emplace_back(request.headers.find("authorization").value_or("none"));
  }
  return keys;
}

using Numbers = std::vector<int>;
using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE("a refused key rests as long as it was told to", "[router][keys]") {
  struct Row {
    Script script;
    Duration rest;
  };
  const auto refusal = [](int status, Headers fields) { return answer(status, "{}", fields); };
  const auto row = GENERATE_COPY(Row{refusal(429, {{"Retry-After", "90"}}), 90s},
                                 Row{refusal(429, {{"Retry-After", "3600"}}), 120s},  // at most
                                 Row{refusal(401, {{"Retry-After", "7"}}), 7s},
                                 Row{refusal(401, {}), 60s}, Row{refusal(402, {}), 60s});
  ScriptedUpstream node(row.script);
  Config config = config_of(node);
  config.router.max_retries = 0;
  Router router(config);
  CHECK_FALSE(router.route_chat(hello));
  const Result<Reply> second = router.route_chat(hello);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::rate_limited);
  CHECK(second.error().attempts.empty());
  REQUIRE(second.error().retry_after);
  CHECK(*second.error().retry_after <= row.rest);
  CHECK(*second.error().retry_after > row.rest - 5s);
}

TEST_CASE("a lone node that refuses one key is asked with the other at once", "[router][keys]") {
  const Script refusal = GENERATE(
      busy("60"), answer(429, "{}"), answer(401, "{}"), answer(402, "{}"), answer(403, "{}"),
      answer(429, R"({"error":{"message":"pay first","code":"insufficient_quota"}})"));
  SECTION("plain") {
    ScriptedUpstream node(by_key({{key_1, refusal}}, answer(200, chat_completion("hi"))));
    Config config = with_two_keys(node);
    config.router.backoff = 1h;
    config.timeouts.total = 5s;  // less than a wait would take
    Router router(config);
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE(reply);
    CHECK(keys_used(reply->attempts) == Numbers{1, 2});
    CHECK(keys_seen(node) == Seen{key_1, key_2});
    CHECK(router.snapshot().nodes[0].breaker == "closed");
  }
  SECTION("streamed") {
    ScriptedUpstream node(
        by_key({{key_1, refusal}}, event_stream({chat_chunk("hi"), chat_finish(), done()})));
    Config config = with_two_keys(node);
    config.router.backoff = 1h;
    config.timeouts.total = 5s;
    Router router(config);
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    CHECK_FALSE(collect(*stream).error);
    CHECK(keys_used(stream->reply().attempts) == Numbers{1, 2});
  }
}

TEST_CASE("the keys of a node take turns, and one that rests has none", "[router][keys]") {
  ScriptedUpstream node(by_key({}, answer(200, chat_completion("hi"))));
  Router router(with_two_keys(node));
  for (int i = 0; i < 3; ++i) REQUIRE(router.route_chat(hello));
  CHECK(keys_seen(node) == Seen{key_1, key_2, key_1});
  CHECK(router.snapshot().nodes[0].keys == 2);
  CHECK(router.snapshot().nodes[0].keys_resting == 0);

  ScriptedUpstream strict(by_key({{key_2, answer(401, "{}")}}, answer(200, chat_completion("x"))));
  Router picky(with_two_keys(strict));
  for (int i = 0; i < 4; ++i) REQUIRE(picky.route_chat(hello));
  CHECK(keys_seen(strict) == Seen{key_1, key_2, key_1, key_1, key_1});
  CHECK(picky.snapshot().nodes[0].keys_resting == 1);
  const Result<Explanation> explanation = picky.explain({.body = hello});
  REQUIRE(explanation);
  CHECK(explanation->nodes[0].admissible);
  CHECK(explanation->nodes[0].keys == 2);
  CHECK(explanation->nodes[0].keys_resting == 1);
}

TEST_CASE("another node comes before another key", "[router][keys]") {
  ScriptedUpstream first(by_key({{key_1, busy("60")}}, answer(200, chat_completion("first"))));
  ScriptedUpstream second(answer(GENERATE(200, 503), chat_completion("second")));
  Config config = config_of(first, second);
  config.nodes[0].api_keys = {"secret-1", "secret-2"};
  Router router(config);
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  REQUIRE(reply->attempts.size() >= 2);
  CHECK(reply->attempts[1].node == "n2");
  CHECK(reply->attempts[1].key == 0);  // it has none
  if (reply->attempts.size() == 3) {
    CHECK(reply->node == "n1");
    CHECK(reply->attempts[2].key == 2);
  }
}

TEST_CASE("when all keys are refused", "[router][keys]") {
  ScriptedUpstream node(
      by_key({{key_1, busy("50")}, {key_2, busy("90")}}, answer(200, chat_completion("x"))));
  Config config = with_two_keys(node);
  Router router(config);
  const CallOptions brief{.deadline = 20s};  // too soon for either
  const bool streamed = GENERATE(false, true);
  const Error first = streamed ? router.stream({.body = hello, .options = brief}).error()
                               : router.route({.body = hello, .options = brief}).error();
  CHECK(first.code == ErrorCode::rate_limited);
  CHECK(keys_used(first.attempts) == Numbers{1, 2});
  CHECK(first.message.find("n1 with key #2: 429") != std::string::npos);
  REQUIRE(first.retry_after);
  CHECK(*first.retry_after <= 50s);  // the key that is ready first
  CHECK(*first.retry_after > 40s);
  SECTION("the next call is refused without asking") {
    const Result<Reply> next = router.route_chat(hello);
    REQUIRE_FALSE(next);
    CHECK(next.error().code == ErrorCode::rate_limited);
    CHECK(next.error().attempts.empty());
    REQUIRE(next.error().retry_after);
    CHECK(*next.error().retry_after <= 50s);
    CHECK(node.request_count() == 2);
    CHECK(router.explain({.body = hello})->nodes[0].reason == "its keys rest");
  }
}

TEST_CASE("a refused key is not used again by the call", "[router][keys]") {
  SECTION("when it was not let in") {
    ScriptedUpstream node(
        by_key({{key_1, answer(401, "{}")}, {key_2, answer(429, "{}")}}, answer(500, "{}")));
    Router router(with_two_keys(node));
    const Result<Reply> reply = router.route({.body = hello, .options = {.max_retries = 3}});
    REQUIRE_FALSE(reply);
    CHECK(keys_used(reply.error().attempts) == Numbers{1, 2, 2, 2});
  }
  SECTION("unless it was only busy, and nobody else is there") {
    ScriptedUpstream node(by_key({}, answer(429, "{}")));
    Router router(with_two_keys(node));
    const Result<Reply> reply = router.route({.body = hello, .options = {.max_retries = 3}});
    REQUIRE_FALSE(reply);
    CHECK(keys_used(reply.error().attempts) == Numbers{1, 2, 1, 2});
  }
}

TEST_CASE("another key is paid for like any retry", "[router][keys]") {
  ScriptedUpstream node(answer(401, "{}"));
  Config config = with_two_keys(node);
  SECTION("by the call") {
    config.router.max_retries = 0;
    Router router(config);
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::node_rejected);
    CHECK(reply.error().http_status == 401);
    CHECK(node.request_count() == 1);
  }
  SECTION("by the router") {
    for (int i = 3; i < 20; ++i) config.nodes[0].api_keys.push_back("secret-" + std::to_string(i));
    config.router.max_retries = 100;
    config.router.retry_budget = 0;
    config.router.retry_floor = 0;
    Router router(config);
    CHECK_FALSE(router.route_chat(hello));
    CHECK(node.request_count() == 11);  // the bucket holds ten
  }
}

TEST_CASE("a stream that broke goes on with any key", "[router][keys][resume]") {
  const std::string whole = chat_chunk("Hel") + chat_chunk("lo") + chat_finish();
  ScriptedUpstream node([&](const SeenRequest& request) {
    if (request.number == 1) {
      return event_stream({chat_chunk("Hel")}, Ending::open).close();
    }
    if (request.number == 2) return busy("60");
    return event_stream({whole, done()});
  });
  Router router(with_two_keys(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Collected got = collect(*stream);
  INFO((got.error ? got.error->message : ""));
  CHECK_FALSE(got.error);
  CHECK(got.raw == whole);
  CHECK(keys_used(stream->reply().attempts) == Numbers{1, 2, 1});
}

TEST_CASE("a fallback model may use the key again", "[router][keys][fallback]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    const bool large = request.body.find("large") != std::string::npos;
    return large ? answer(429, "{}") : answer(200, chat_completion("x", "small"));
  });
  Config config = with_two_keys(node);
  config.nodes[0].models = {"large", "small"};
  config.models = {{.name = "large", .fallbacks = {"small"}}};
  config.router.max_retries = 2;
  config.router.backoff = 1h;  // 8 s at most, which is past the deadline
  config.timeouts.total = 5s;
  Router router(config);
  const Result<Reply> reply = router.route_chat(R"({"model":"large"})");
  REQUIRE(reply);
  CHECK(reply->model == "small");
  CHECK(keys_used(reply->attempts) == Numbers{1, 2, 1});
}

TEST_CASE("an observer is told which key was sent", "[router][keys][observer]") {
  struct Notes final : Observer {
    void on_attempt(const AttemptEvent& attempt) override { keys.push_back(attempt.key); }
    Numbers keys;
  };
  ScriptedUpstream node(by_key({{key_1, answer(401, "{}")}}, answer(200, chat_completion("x"))));
  Router router(with_two_keys(node));
  const auto notes = std::make_shared<Notes>();
  router.use(notes);
  REQUIRE(router.route_chat(hello));
  CHECK(notes->keys == Numbers{1, 2});
}

TEST_CASE("no key is ever shown", "[router][keys]") {
  ScriptedUpstream node(answer(401, R"({"error":{"message":"bad key"}})"));
  Router router(with_two_keys(node));
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE_FALSE(reply);
  std::string shown = reply.error().message + reply.error().body + reply.error().node;
  for (const AttemptRecord& attempt : reply.error().attempts)
    shown += attempt.node + attempt.reason;
  for (const NodeSnapshot& known : router.snapshot().nodes) shown += known.name + known.url;
  const Result<Explanation> explanation = router.explain({.body = hello});
  for (const NodeExplanation& one : explanation->nodes) shown += one.node + one.reason;
  CHECK(shown.find("key #2") != std::string::npos);
  CHECK(shown.find("secret") == std::string::npos);
}

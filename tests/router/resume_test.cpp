// Streams that die after their first content and go on elsewhere: what the caller reads equals the
// uncut stream, or ends with a typed error.
#include <llmroute/wire/delta.hpp>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// What a caller makes of a stream.
struct Read {
  std::string text{};
  std::string reasoning{};
  std::string finish{};
  std::string id{};
  int roles = 0;
  int finishes = 0;
  std::optional<Error> error{};
};

Read read(const Collected& all) {
  Read out;
  out.error = all.error;
  for (const std::string& data : all.data) {
    const wire::Identity identity = wire::read_identity(data);
    if (out.id.empty()) out.id = identity.id;
    CHECK(out.id == identity.id);
    if (data.find("\"role\"") != std::string::npos) ++out.roles;
    for (const wire::Delta& delta : wire::read_deltas(data)) {
      out.text += delta.content;
      out.reasoning += delta.reasoning;
      if (delta.finish_reason.empty()) continue;
      ++out.finishes;
      out.finish = delta.finish_reason;
    }
  }
  return out;
}

/// An event of a stream called `id`.
std::string event(const std::string& id, const std::string& choice) {
  return sse(R"({"id":")" + id + R"(","object":"chat.completion.chunk","created":)" +
             std::to_string(id.size()) + R"(,"model":"m","choices":[{"index":0,)" + choice + "}]}");
}
std::string role(const std::string& id) {
  return event(id, R"("delta":{"role":"assistant","content":""},"finish_reason":null)");
}
std::string text(const std::string& id, const std::string& json) {
  return event(id, R"("delta":{"content":")" + json + R"("},"finish_reason":null)");
}
std::string finish(const std::string& id) {
  return event(id, R"("delta":{},"finish_reason":"stop")");
}

const std::string whole_text = "Héllo, \"wörld\"\n😀 and more";

std::vector<std::string> answer_of(const std::string& id) {
  return {role(id),
          text(id, "Héllo, "),
          text(id, "\\\"w\\u00f6rld\\\""),
          text(id, "\\n\\ud83d\\ude00"),
          text(id, " and more"),
          finish(id),
          done()};
}

/// The same answer in other pieces.
std::vector<std::string> otherwise(const std::string& id) {
  return {text(id, "Hé"),
          text(id, "llo, \\\"wö"),
          text(id, "rld\\\"\\n"),
          text(id, "😀"),
          text(id, " an"),
          text(id, "d more"),
          finish(id),
          done()};
}

Read ask(Router& router, std::string_view body = hello) {
  Result<Stream> stream = router.stream({.body = body});
  REQUIRE(stream);
  return read(collect(*stream));
}

}  // namespace

TEST_CASE("a stream cut at every byte goes on elsewhere", "[router][resume]") {
  const Script whole = event_stream(answer_of("one"));
  const bool with_reset = GENERATE(false, true);
  const bool other_pieces = GENERATE(false, true);
  for (std::size_t cut = 0; cut < whole.size(); cut += 3) {
    CAPTURE(cut, with_reset, other_pieces);
    Script script = whole;
    ScriptedUpstream bad(script.cut_at(cut, with_reset));
    ScriptedUpstream good(event_stream(other_pieces ? otherwise("two") : answer_of("two")));
    Router router(config_of(bad, good));
    const Read out = ask(router);
    REQUIRE_FALSE(out.error);
    CHECK(out.text == whole_text);
    CHECK(out.finish == "stop");
    CHECK(out.finishes == 1);
    CHECK(out.roles <= 1);
  }
}

TEST_CASE("a stream that dies two and three times over is still one", "[router][resume]") {
  const std::size_t faults = GENERATE(2, 3);
  const Script whole = event_stream(answer_of("x"));
  for (std::size_t cut = 400; cut < whole.size(); cut += 37) {
    std::vector<Script> scripts;
    for (std::size_t i = 0; i < faults; ++i) {
      Script script = event_stream(i % 2 == 0 ? answer_of("x") : otherwise("y"));
      scripts.push_back(script.cut_at(cut + i * 61, i % 2 == 0));
    }
    scripts.push_back(event_stream(answer_of("z")));
    CAPTURE(faults, cut);
    ScriptedUpstream lone(scripts);  // one node: asked again after the backoff
    Config config = config_of(lone);
    config.router.max_retries = 3;
    config.breaker.consecutive_failures = 10;
    config.breaker.failure_rate = 1;
    config.breaker.min_requests = 100;
    Router router(config);
    const Read out = ask(router);
    REQUIRE_FALSE(out.error);
    CHECK(out.text == whole_text);
    CHECK(out.finishes == 1);
  }
}

TEST_CASE("each way for a stream to die after its first content", "[router][resume]") {
  struct Row {
    const char* what;
    Script script;
  };
  const std::vector<std::string> begun = {role("a"), text("a", "Héllo, ")};
  const auto with = [&](const std::string& last) {
    std::vector<std::string> events = begun;
    events.push_back(last);
    return event_stream(events, Ending::open).hang();
  };
  const auto row =
      GENERATE_COPY(Row{"closed", event_stream(begun, Ending::open).close()},
                    Row{"closed properly, without an end", event_stream(begun)},
                    Row{"reset", event_stream(begun, Ending::open).reset()},
                    Row{"an error event", with(sse(R"({"error":{"message":"gpu lost"}})"))},
                    Row{"event: error", with("event: error\ndata: {\"message\":\"x\"}\n\n")},
                    Row{"garbage", with(sse("{nonsense"))},
                    Row{"silence", event_stream(begun, Ending::open).hang()});
  INFO(row.what);
  ScriptedUpstream bad(row.script);
  ScriptedUpstream good(event_stream(answer_of("b")));
  Config config = config_of(bad, good);
  config.timeouts.idle = 100ms;
  Router router(config);
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Read out = read(collect(*stream));
  REQUIRE_FALSE(out.error);
  CHECK(out.text == whole_text);
  CHECK(out.id == "\"a\"");
  CHECK(out.roles == 1);
  const std::vector<AttemptRecord>& attempts = stream->reply().attempts;
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].error == ErrorCode::stream_interrupted);
  CHECK(attempts[0].usage.completion_tokens == 1);
  CHECK(name(attempts[1].rung) == "replay");
  CHECK_FALSE(attempts[1].error);
}

TEST_CASE("a stream is not joined to another answer", "[router][resume]") {
  ScriptedUpstream bad(event_stream({role("a"), text("a", "Hello, you")}, Ending::open).close());
  SECTION("that begins differently") {
    ScriptedUpstream other(
        event_stream({text("b", "Hello, "), text("b", "me!"), finish("b"), done()}));
    Router router(config_of(bad, other));
    const Read out = ask(router);
    REQUIRE(out.error);
    CHECK(out.error->code == ErrorCode::stream_interrupted);
    CHECK(out.error->partial == "Hello, you");
    CHECK(out.text == "Hello, you");
    CHECK(out.error->attempts.size() == 2);
    CHECK(router.snapshot().nodes[1].failures == 0);  // it is not to blame
  }
  SECTION("that is over too soon") {
    ScriptedUpstream other(event_stream({text("b", "Hello"), finish("b"), done()}));
    Router router(config_of(bad, other));
    CHECK(ask(router).error->code == ErrorCode::stream_interrupted);
  }
  SECTION("that calls a tool instead") {
    const std::string call =
        event("b", R"("delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f"}}]})");
    ScriptedUpstream other(event_stream({call, finish("b"), done()}));
    Router router(config_of(bad, other));
    CHECK(ask(router).error->code == ErrorCode::stream_interrupted);
  }
}

TEST_CASE("what cannot be joined ends with the typed error", "[router][resume]") {
  SECTION("a tool call that has begun") {
    const std::string call =
        event("a", R"("delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f"}}]})");
    ScriptedUpstream bad(event_stream({role("a"), call}, Ending::open).close());
    ScriptedUpstream good(event_stream({call, finish("a"), done()}));
    Router router(config_of(bad, good));
    CHECK(ask(router).error->code == ErrorCode::stream_interrupted);
    CHECK(good.request_count() == 0);
  }
  SECTION("a caller that wants no resume") {
    ScriptedUpstream bad(event_stream({text("a", "Hi")}, Ending::open).close());
    ScriptedUpstream good(event_stream(answer_of("b")));
    Config config = config_of(bad, good);
    SECTION("by the configuration") { config.router.resume = Resume::off; }
    Router router(config);
    Request request{.body = hello};
    request.options.resume = Resume::off;
    Result<Stream> stream = router.stream(request);
    REQUIRE(stream);
    CHECK(read(collect(*stream)).error->partial == "Hi");
    CHECK(good.request_count() == 0);
  }
  SECTION("more than the ledger holds") {
    std::vector<std::string> events{role("a")};
    for (int i = 0; i < 9; ++i) events.push_back(text("a", std::string(128 << 10, 'x')));
    ScriptedUpstream bad(event_stream(events, Ending::open).close());
    ScriptedUpstream good(event_stream(answer_of("b")));
    Router router(config_of(bad, good));
    CHECK(ask(router).error->code == ErrorCode::stream_interrupted);
    CHECK(good.request_count() == 0);
  }
}

TEST_CASE("reasoning is replayed as well", "[router][resume]") {
  const auto think = [](const std::string& id, const std::string& what) {
    return event(id, R"("delta":{"reasoning_content":")" + what + R"("},"finish_reason":null)");
  };
  const std::vector<std::string> whole{role("a"),         think("a", "Let me "), think("a", "see."),
                                       text("a", "Yes."), finish("a"),           done()};
  const Script script = event_stream(whole);
  for (std::size_t cut = 300; cut < script.size(); cut += 11) {
    CAPTURE(cut);
    ScriptedUpstream bad(Script(script).cut_at(cut));
    ScriptedUpstream good(event_stream(
        {think("b", "Let"), think("b", " me see."), text("b", "Yes."), finish("b"), done()}));
    Router router(config_of(bad, good));
    const Read out = ask(router);
    REQUIRE_FALSE(out.error);
    CHECK(out.reasoning == "Let me see.");
    CHECK(out.text == "Yes.");
    CHECK(out.finishes == 1);
  }
}

TEST_CASE("two choices are replayed side by side", "[router][resume]") {
  const auto piece = [](const std::string& id, int index, const std::string& fields) {
    return sse(R"({"id":")" + id + R"(","choices":[{"index":)" + std::to_string(index) + "," +
               fields + "}]}");
  };
  const auto words = [&](const std::string& id) {
    const auto say = [&](int index, const std::string& word) {
      return piece(id, index, R"("delta":{"content":")" + word + R"("},"finish_reason":null)");
    };
    const auto end = [&](int index) {
      return piece(id, index, R"("delta":{},"finish_reason":"stop")");
    };
    const auto role = [&](int index) {
      return piece(id, index, R"("delta":{"role":"assistant"},"finish_reason":null)");
    };
    return std::vector{role(0), say(0, "zero"), role(1), say(1, "one"), say(0, " zero"),
                       end(0),  say(1, " one"), end(1),  done()};
  };
  const Script script = event_stream(words("a"));
  for (std::size_t cut = 250; cut < script.size(); cut += 13) {
    CAPTURE(cut);
    ScriptedUpstream bad(Script(script).cut_at(cut));
    ScriptedUpstream good(event_stream(words("b")));
    Router router(config_of(bad, good));
    Result<Stream> stream = router.stream({.body = R"({"model":"m","n":2})"});
    REQUIRE(stream);
    const Collected all = collect(*stream);
    REQUIRE_FALSE(all.error);
    std::string texts[2];
    int finishes = 0;
    int roles[2] = {};
    for (const std::string& data : all.data) {
      for (const wire::Delta& delta : wire::read_deltas(data)) {
        if (data.find("assistant") != std::string::npos) ++roles[delta.index];
        texts[delta.index] += delta.content;
        finishes += delta.finish_reason.empty() ? 0 : 1;
      }
    }
    CHECK(texts[0] == "zero zero");
    CHECK(texts[1] == "one one");
    CHECK(finishes == 2);
    CHECK(roles[0] == 1);
    CHECK(roles[1] == 1);
  }
}

TEST_CASE("a fallback model may have the whole answer", "[router][resume]") {
  ScriptedUpstream bad(event_stream({role("a"), text("a", "Héllo, ")}, Ending::open).close());
  ScriptedUpstream other(event_stream(answer_of("b")));
  Config config = config_of(bad, other);
  config.nodes[1].models = {"other"};
  config.models.push_back({.name = "m", .nodes = {"n1"}, .fallbacks = {"other"}});
  config.router.max_retries = 4;
  config.breaker.consecutive_failures = 1;
  Router router(config);
  const Read out = ask(router);
  REQUIRE_FALSE(out.error);
  CHECK(out.text == whole_text);
}

TEST_CASE("a fallback model with another answer is no help", "[router][resume]") {
  ScriptedUpstream bad(event_stream({role("a"), text("a", "Héllo, ")}, Ending::open).close());
  ScriptedUpstream other(event_stream({text("b", "Goodbye"), finish("b"), done()}));
  Config config = config_of(bad, other);
  config.nodes[1].models = {"other"};
  config.models.push_back({.name = "m", .nodes = {"n1"}, .fallbacks = {"other"}});
  config.router.max_retries = 4;
  config.breaker.consecutive_failures = 1;
  Router router(config);
  const Read out = ask(router);
  REQUIRE(out.error);
  CHECK(out.error->code == ErrorCode::stream_interrupted);
  CHECK(out.error->partial == "Héllo, ");
  CHECK(out.error->attempts.back().node == "n2");
}

TEST_CASE("completions are resumed like chats", "[router][resume]") {
  const auto piece = [](const std::string& id, const std::string& words, const char* end) {
    return sse(R"({"id":")" + id +
               R"(","object":"text_completion","choices":[{"index":0,"text":")" + words +
               R"(","finish_reason":)" + end + "}]}");
  };
  ScriptedUpstream bad(
      event_stream({piece("a", "one ", "null"), piece("a", "tw", "null")}, Ending::open).close());
  ScriptedUpstream good(event_stream({piece("b", "one two", "null"), piece("b", " three", "null"),
                                      piece("b", "", "\"stop\""), done()}));
  Router router(config_of(bad, good));
  Result<Stream> stream =
      router.stream({.path = "/v1/completions", .body = R"({"model":"m","prompt":"count"})"});
  REQUIRE(stream);
  const Collected all = collect(*stream);
  REQUIRE_FALSE(all.error);
  const Read out = read(all);
  CHECK(out.text == "one two three");
  CHECK(out.id == "\"a\"");
  CHECK(all.raw.find(R"("text":"o")") != std::string::npos);  // cut where the first broke off
}

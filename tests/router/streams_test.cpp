// Streams: events in order and once; a plain retry before the first content, a typed error with the
// partial text after it.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

std::vector<std::string> whole_stream() {
  return {chat_chunk(""), chat_chunk("Hel"), chat_chunk("lo"), chat_finish(), done()};
}

std::string joined(const std::vector<std::string>& events) {
  std::string all;
  for (const std::string& event : events) all += event;
  return all;
}

std::string without_done(std::vector<std::string> events) {
  events.pop_back();
  return joined(events);
}

}  // namespace

TEST_CASE("a stream", "[router][stream]") {
  ScriptedUpstream node(event_stream(whole_stream()));
  Router router(config_of(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);

  SECTION("gives every event of the node, byte for byte and in order, but [DONE]") {
    const Collected all = collect(*stream);
    CHECK_FALSE(all.error);
    CHECK(all.raw == without_done(whole_stream()));
    CHECK(all.data.size() == 4);
    CHECK(stream->reply().node == "n1");
    CHECK(stream->reply().attempts.size() == 1);
    CHECK(stream->reply().first_content.has_value());
    const Result<std::optional<Event>> after = stream->next();
    REQUIRE(after);
    CHECK_FALSE(*after);
    CHECK(stream->reply().node == "n1");
  }
  SECTION("asks the node for a stream by a splice") {
    CHECK(node.requests()[0].body ==
          R"({"stream":true,"model":"m","messages":[{"role":"user","content":"hi"}]})");
  }
  SECTION("has given its permit back at its end") {
    collect(*stream);
    CHECK(router.snapshot().in_flight == 0);
  }
}

TEST_CASE("streams one after the other use one connection", "[router][stream]") {
  ScriptedUpstream node(event_stream(whole_stream()));
  Router router(config_of(node));
  for (int i = 0; i < 20; ++i) {
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    CHECK_FALSE(collect(*stream).error);
  }
  CHECK(node.connections() <= 2);  // the first may still have been ending when the second began
}

TEST_CASE("a stream through an alias carries the alias", "[router][stream]") {
  ScriptedUpstream node(event_stream(
      {chat_chunk("", "id-1"), chat_chunk("x", "id-1"), chat_finish("stop", "id-1"), done()}));
  Config config = config_of(node);
  config.nodes[0].models = {"id-1"};
  config.models.push_back({.name = "m", .model_id = "id-1"});
  Router router(config);
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  CHECK(collect(*stream).raw == chat_chunk("") + chat_chunk("x") + chat_finish());
}

TEST_CASE("usage that the router asked for itself is not shown", "[router][stream]") {
  const std::string usage =
      sse(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})");
  ScriptedUpstream node(event_stream({chat_chunk("x"), chat_finish(), usage, done()}));
  Config config = config_of(node);
  config.nodes[0].provider = Provider::vllm;
  Router router(config);
  SECTION("when the caller had not asked") {
    Result<Stream> stream = router.stream({.body = R"({"model":"m"})"});
    REQUIRE(stream);
    CHECK(collect(*stream).raw == chat_chunk("x") + chat_finish());
    CHECK(stream->reply().usage.total_tokens == 5);
    CHECK(node.requests()[0].body.find(R"("include_usage":true)") != std::string::npos);
  }
  SECTION("and passes when it had") {
    Result<Stream> stream =
        router.stream({.body = R"({"model":"m","stream_options":{"include_usage":true}})"});
    REQUIRE(stream);
    CHECK(collect(*stream).raw == chat_chunk("x") + chat_finish() + usage);
  }
}

TEST_CASE("a stream that fails before its first content is retried elsewhere",
          "[router][stream][failover]") {
  struct Row {
    const char* what;
    Script script;
  };
  const auto row =
      GENERATE(Row{"503", answer(503, "{}")}, Row{"reset at once", Script{}.reset()},
               Row{"error event first",
                   event_stream({sse(R"({"error":{"message":"overloaded"}})"), done()})},
               Row{"error body in 200", answer(200, R"({"error":{"message":"x"}})")},
               Row{"html", answer(200, "<html>", {{"Content-Type", "text/html"}})},
               Row{"garbage events", event_stream({sse("{nonsense"), done()})},
               Row{"role, then cut", event_stream({chat_chunk("")}, test::Ending::open).close()},
               Row{"nothing but [DONE]", event_stream({done()})}, Row{"empty", event_stream({})});
  INFO(row.what);
  ScriptedUpstream bad(row.script);
  ScriptedUpstream good(event_stream(whole_stream()));
  Router router(config_of(bad, good));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  CHECK(all.raw == without_done(whole_stream()));
  CHECK(nodes_asked(stream->reply().attempts) == std::vector<std::string>{"n1", "n2"});
}

TEST_CASE("a stream cut at every byte ends whole or with the typed error", "[router][stream]") {
  const Script whole = event_stream(whole_stream());
  const bool with_reset = GENERATE(false, true);
  std::size_t interrupted = 0;
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
    CAPTURE(cut, with_reset);
    Script script = whole;
    ScriptedUpstream bad(script.cut_at(cut, with_reset));
    ScriptedUpstream good(event_stream(whole_stream()));
    Config config = config_of(bad, good);
    config.router.resume = Resume::off;
    Router router(config);
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    const Collected all = collect(*stream);
    if (!all.error) {
      CHECK(all.raw == without_done(whole_stream()));
      continue;
    }
    ++interrupted;
    CHECK(all.error->code == ErrorCode::stream_interrupted);
    CHECK((all.error->partial == "Hel" || all.error->partial == "Hello"));
    CHECK(all.error->node == "n1");
    CHECK(without_done(whole_stream()).substr(0, all.raw.size()) == all.raw);
  }
  CHECK(interrupted > 3);
}

TEST_CASE("the clocks of a stream", "[router][stream][clocks]") {
  Gate never_opens;
  ScriptedUpstream good(event_stream(whole_stream()));
  SECTION("no headers in time: another node") {
    ScriptedUpstream silent(Script{}.hang());
    Config config = config_of(silent, good);
    config.timeouts.headers = 50ms;
    Router router(config);
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    CHECK(collect(*stream).raw == without_done(whole_stream()));
    CHECK(silent.wait_for_gone(1));
  }
  SECTION("no first content in time: another node") {
    ScriptedUpstream slow(event_stream({chat_chunk("")}, test::Ending::open).hang());
    Config config = config_of(slow, good);
    config.timeouts.first_content = 50ms;
    Router router(config);
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    CHECK(collect(*stream).raw == without_done(whole_stream()));
  }
  SECTION("the first-content clock does not apply to the last candidate") {
    Gate gate;
    ScriptedUpstream slow(event_stream({chat_chunk("")}, test::Ending::open)
                              .wait(gate)
                              .send(chunk(chat_chunk("x")))
                              .send(chunk(chat_finish()))
                              .send(chunk(done()))
                              .send(chunk("")));
    Config config = config_of(slow);
    config.timeouts.first_content = 1ms;
    Router router(config);
    std::optional<Result<Reply>> result;
    std::string text;
    Call call = router.start({.body = hello},
                             {.on_event =
                                  [&](const Event& e) {
                                    text += e.raw;
                                    return Taken::done;
                                  },
                              .on_done = [&](Result<Reply> r) { result.emplace(std::move(r)); }});
    CHECK(slow.wait_for_requests(1));
    gate.open();
    call.wait();
    REQUIRE(result);
    CHECK(result->has_value());
    CHECK(text.find("\"x\"") != std::string::npos);
  }
  SECTION("silence after content: the typed error") {
    ScriptedUpstream stalls(event_stream({chat_chunk("Hi")}, test::Ending::open).hang());
    Config config = config_of(stalls, good);
    config.timeouts.idle = 50ms;
    config.router.resume = Resume::off;
    Router router(config);
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    const Collected all = collect(*stream);
    REQUIRE(all.error);
    CHECK(all.error->code == ErrorCode::stream_interrupted);
    CHECK(all.error->partial == "Hi");
    CHECK(good.request_count() == 0);
  }
}

TEST_CASE("an error event after content is the end with an error", "[router][stream]") {
  ScriptedUpstream node(
      event_stream({chat_chunk("Hi"), sse(R"({"error":{"message":"gpu lost"}})"), done()}));
  Router router(config_of(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Collected all = collect(*stream);
  REQUIRE(all.error);
  CHECK(all.error->code == ErrorCode::stream_interrupted);
  CHECK(all.raw == chat_chunk("Hi"));
}

TEST_CASE("a finish_reason without [DONE] is a whole stream", "[router][stream]") {
  ScriptedUpstream node(event_stream({chat_chunk("Hi"), chat_finish()}));
  Router router(config_of(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
}

TEST_CASE("a stream that is dropped stops the node and gives everything back",
          "[router][stream][cancel]") {
  ScriptedUpstream node(event_stream({chat_chunk("Hi")}, test::Ending::open).hang());
  Router router(config_of(node));
  {
    Result<Stream> stream = router.stream({.body = hello});
    REQUIRE(stream);
    REQUIRE(stream->next());
    CHECK(router.snapshot().in_flight == 1);
    CHECK(router.snapshot().nodes[0].in_flight == 1);
  }
  CHECK(node.wait_for_gone(1));
  CHECK(router.snapshot().in_flight == 0);
  CHECK(router.snapshot().nodes[0].in_flight == 0);
  CHECK(router.snapshot().nodes[0].failures == 0);
}

TEST_CASE("a node without streams answers whole, and is blamed for nothing", "[router][stream]") {
  const std::string completion = chat_completion("x");
  ScriptedUpstream whole(answer(200, completion));
  ScriptedUpstream good(event_stream({chat_chunk("x"), chat_finish(), done()}));
  SECTION("others are asked") {
    Config config = config_of(whole, good);
    config.breaker.consecutive_failures = 1;
    Router router(config);
    for (int i = 0; i < 3; ++i) {
      Result<Stream> stream = router.stream({.body = hello});
      INFO((stream ? std::string("opened") : stream.error().message));
      REQUIRE(stream);
      CHECK_FALSE(collect(*stream).error);
      CHECK(stream->reply().node == "n2");
    }
    CHECK(whole.request_count() > 0);
    for (const NodeSnapshot& node : router.snapshot().nodes) CHECK(node.breaker == "closed");
  }
  SECTION("and where there are none its answer is in the error") {
    Router router(config_of(whole));
    const Result<Stream> stream = router.stream({.body = hello});
    REQUIRE_FALSE(stream);
    CHECK(stream.error().code == ErrorCode::bad_upstream);
    CHECK(stream.error().http_status == 200);
    CHECK(stream.error().body == completion);
    CHECK(stream.error().headers.find("content-type") == "application/json");
    CHECK(whole.request_count() == 1);
  }
}

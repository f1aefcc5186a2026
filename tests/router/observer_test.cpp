/// What an observer is told, and that it cannot do harm.
#include <mutex>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

struct Notes final : Observer {
  void on_attempt(const AttemptEvent& e) override {
    const std::lock_guard lock(mutex);
    attempts.push_back(std::string(e.node) + (e.error ? " failed" : " answered"));
  }
  void on_call(const CallEvent& e) override {
    const std::lock_guard lock(mutex);
    calls.push_back(std::string(e.node) + " " + std::to_string(e.attempts) +
                    (e.stream ? " stream" : " plain"));
  }
  void on_node(const NodeEvent& e) override {
    const std::lock_guard lock(mutex);
    if (e.kind == NodeEvent::Kind::breaker_opened) opened.emplace_back(e.node);
  }

  std::mutex mutex;
  std::vector<std::string> attempts;
  std::vector<std::string> calls;
  std::vector<std::string> opened;
};

struct Thrower final : Observer {
  void on_attempt(const AttemptEvent&) override { throw std::runtime_error("attempt"); }
  void on_call(const CallEvent&) override { throw std::runtime_error("call"); }
  void on_node(const NodeEvent&) override { throw std::runtime_error("node"); }
};

}  // namespace

TEST_CASE("an observer", "[router][observer]") {
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Config config = config_for({"http://127.0.0.1:" + std::to_string(refused_port()), good.url()});
  config.breaker.consecutive_failures = 1;
  Router router(config);
  const auto notes = std::make_shared<Notes>();
  router.use(std::make_shared<Observer>());  // one that overrides nothing
  router.use(std::make_shared<Thrower>());   // and one that throws
  router.use(notes);

  SECTION("is told each attempt, the call, and the breaker that opened") {
    REQUIRE(router.route_chat(hello));
    CHECK(notes->attempts == std::vector<std::string>{"n1 failed", "n2 answered"});
    CHECK(notes->calls == std::vector<std::string>{"n2 2 plain"});
    REQUIRE_FALSE(notes->opened.empty());
    CHECK(notes->opened[0] == "n1");
  }
  SECTION("is told what became of a stream") {
    ScriptedUpstream node(event_stream({chat_chunk("a"), chat_finish(), done()}));
    Router streams(config_of(node));
    streams.use(notes);
    Result<Stream> stream = streams.stream({.body = hello});
    REQUIRE(stream);
    collect(*stream);
    CHECK(notes->calls == std::vector<std::string>{"n1 1 stream"});
  }
}

TEST_CASE("the iterator of a stream", "[router][observer]") {
  ScriptedUpstream node(event_stream({chat_chunk("a"), chat_finish(), done()}));
  Router router(config_of(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  Stream::Iterator it = stream->begin();
  REQUIRE(it != stream->end());
  REQUIRE(it->has_value());
  CHECK((*it)->raw == chat_chunk("a"));
  it++;
  REQUIRE(it != stream->end());
  REQUIRE(it->has_value());
  CHECK((*it)->raw == chat_finish());
  it++;
  CHECK(it == stream->end());
}

// A second attempt when the first is late: the quicker one wins, the other leaves no trace but a
// line in the trail.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

Config hedged(const ScriptedUpstream& a, const ScriptedUpstream& b) {
  Config config = config_of(a, b);
  config.hedge = {.enabled = true, .delay = 20ms, .max_share = 1};
  return config;
}

std::vector<std::string> words() {
  return {chat_chunk(""), chat_chunk("Hi"), chat_finish(), done()};
}

}  // namespace

TEST_CASE("a late stream is overtaken", "[router][hedge]") {
  ScriptedUpstream slow(event_stream({": waiting\n\n", chat_chunk("")}, test::Ending::open).hang());
  ScriptedUpstream quick(event_stream(words()));
  Router router(hedged(slow, quick));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  CHECK(all.raw == chat_chunk("") + chat_chunk("Hi") + chat_finish());
  CHECK(slow.wait_for_gone(1));
  CHECK(stream->reply().node == "n2");
  REQUIRE(stream->reply().attempts.size() == 2);
  CHECK(stream->reply().attempts[0].node == "n1");
  CHECK(stream->reply().attempts[0].error == ErrorCode::cancelled);
  CHECK(stream->reply().attempts[0].reason == "another node was quicker");
  CHECK(router.snapshot().nodes[0].failures == 0);
  CHECK(router.snapshot().nodes[0].in_flight == 0);
  CHECK(router.snapshot().in_flight == 0);
}

TEST_CASE("a late plain call is overtaken", "[router][hedge]") {
  ScriptedUpstream slow(Script().hang());
  ScriptedUpstream quick(answer(200, chat_completion("x")));
  Router router(hedged(slow, quick));
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->node == "n2");
  CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n2"});
  CHECK(slow.wait_for_gone(1));
}

TEST_CASE("the first may still win", "[router][hedge]") {
  Gate gate;
  ScriptedUpstream first(
      Script().wait(gate).send(answer(200, chat_completion("x")).steps()[0].bytes));
  ScriptedUpstream second([gate](const SeenRequest&) {
    Gate copy = gate;
    copy.open();
    return Script().hang();
  });
  Router router(hedged(first, second));
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->node == "n1");
  CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n2", "n1"});
  CHECK(second.wait_for_gone(1));
}

TEST_CASE("an answer in time is not raced", "[router][hedge]") {
  ScriptedUpstream quick(answer(200, chat_completion("x")));
  ScriptedUpstream other(answer(200, chat_completion("x")));
  Config config = hedged(quick, other);
  config.hedge.delay = 10s;
  Router router(config);
  CHECK(router.route_chat(hello)->attempts.size() == 1);
  CHECK(other.request_count() == 0);
}

TEST_CASE("no hedge without something to spare", "[router][hedge]") {
  Gate gate;
  ScriptedUpstream slow(
      Script().wait(gate).send(answer(200, chat_completion("x")).steps()[0].bytes));
  ScriptedUpstream other(answer(200, chat_completion("x")));
  Config config = hedged(slow, other);
  SECTION("no permit") { config.backpressure.max_concurrent_requests = 1; }
  SECTION("no other node") { config.nodes[1].models = {"another"}; }
  Router router(config);
  std::optional<Result<Reply>> reply;
  Call call = router.start({.body = hello},
                           {.on_done = [&](Result<Reply> r) { reply.emplace(std::move(r)); }});
  REQUIRE(slow.wait_for_requests(1));
  CHECK_FALSE(other.wait_for_requests(1, 100ms));
  gate.open();
  call.wait();
  REQUIRE(reply);
  CHECK((*reply)->node == "n1");
}

TEST_CASE("two that fail are two failures", "[router][hedge]") {
  Gate gate;
  ScriptedUpstream slow(Script().wait(gate).send(answer(503, "{}").steps()[0].bytes));
  ScriptedUpstream bad([gate](const SeenRequest&) {
    Gate copy = gate;
    copy.open();
    return answer(500, "{}");
  });
  ScriptedUpstream good(answer(200, chat_completion("x")));
  Config config = config_of(slow, bad, good);
  config.hedge = {.enabled = true, .delay = 20ms, .max_share = 1};
  Router router(config);
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->node == "n3");
  CHECK(reply->attempts.size() == 3);
}

TEST_CASE("a call that is cancelled in a race leaves both nodes", "[router][hedge]") {
  ScriptedUpstream a(Script().hang());
  ScriptedUpstream b(Script().hang());
  Router router(hedged(a, b));
  std::optional<Result<Reply>> reply;
  Call call = router.start({.body = hello},
                           {.on_done = [&](Result<Reply> r) { reply.emplace(std::move(r)); }});
  REQUIRE(b.wait_for_requests(1));
  call.cancel();
  call.wait();
  CHECK(reply->error().code == ErrorCode::cancelled);
  CHECK(a.wait_for_gone(1));
  CHECK(b.wait_for_gone(1));
  CHECK(router.snapshot().in_flight == 0);
}

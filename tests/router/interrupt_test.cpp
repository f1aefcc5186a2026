// Waits that ask whether to go on, and what a strategy that throws leaves behind.
#include <atomic>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// True from the nth question on.
std::function<bool()> interrupted_after(int questions, int& asked) {
  return [questions, &asked] { return ++asked >= questions; };
}

}  // namespace

TEST_CASE("a wait that is interrupted", "[router][interrupt]") {
  int asked = 0;
  SECTION("ends a plain call, and the node's socket is closed") {
    ScriptedUpstream node(Script().hang());
    Router router(config_of(node));
    const Time before = Clock::now();
    const Result<Reply> reply =
        router.route({.body = hello, .options = {.interrupted = interrupted_after(2, asked)}});
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::cancelled);
    CHECK(asked == 2);
    CHECK(Clock::now() - before >= 90ms);  // twenty times a second, not more
    CHECK(node.wait_for_gone(1));
  }
  SECTION("ends the opening of a stream") {
    ScriptedUpstream node(Script().hang());
    Router router(config_of(node));
    const Result<Stream> stream =
        router.stream({.body = hello, .options = {.interrupted = interrupted_after(1, asked)}});
    REQUIRE_FALSE(stream);
    CHECK(stream.error().code == ErrorCode::cancelled);
    CHECK(node.wait_for_gone(1));
  }
  SECTION("ends a stream in its middle, which keeps what it had delivered") {
    ScriptedUpstream node(event_stream({chat_chunk("a")}, test::Ending::open).hang());
    Router router(config_of(node));
    std::atomic<bool> leave = false;
    Result<Stream> stream =
        router.stream({.body = hello, .options = {.interrupted = [&] { return leave.load(); }}});
    REQUIRE(stream);
    REQUIRE(stream->next());
    leave = true;
    const Result<std::optional<Event>> next = stream->next();
    REQUIRE_FALSE(next);
    CHECK(next.error().code == ErrorCode::cancelled);
    CHECK(next.error().partial == "a");
    CHECK(node.wait_for_gone(1));
  }
  SECTION("does not hurt a call whose answer is there") {
    ScriptedUpstream node(answer(200, chat_completion("x")));
    Router router(config_of(node));
    CHECK(router.route({.body = hello, .options = {.interrupted = [] { return true; }}}));
  }
}

TEST_CASE("what a strategy throws comes with the error", "[router][interrupt]") {
  struct Thrower final : Strategy {
    NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext&) override {
      throw std::out_of_range("nothing to my taste");
    }
  };
  ScriptedUpstream first(answer(200, chat_completion("x")));
  ScriptedUpstream second(answer(200, chat_completion("x")));
  Router router(config_of(first, second));
  router.use(std::make_shared<Thrower>());
  SECTION("of a call") {
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::internal);
    CHECK_THROWS_AS(std::rethrow_exception(reply.error().thrown), std::out_of_range);
  }
  SECTION("of a question what would be done") {
    const Result<Explanation> explanation = router.explain({.body = hello});
    REQUIRE_FALSE(explanation);
    CHECK_THROWS_AS(std::rethrow_exception(explanation.error().thrown), std::out_of_range);
  }
}

TEST_CASE("an error names its call", "[router][interrupt]") {
  ScriptedUpstream node(answer(400, "{}"));
  Router router(config_of(node));
  CHECK(router.route({.body = hello, .options = {.request_id = "req-1"}}).error().request_id ==
        "req-1");
  CHECK(router.route_chat(hello).error().request_id.size() == 15);
}

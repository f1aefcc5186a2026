// How long nodes have been at work for a call: what is left of its time is the router's.
#include "router/call_state.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using llmroute::detail::TimeAtNodes;

TEST_CASE("attempts that overlap count once", "[router][time]") {
  const Time start{};
  TimeAtNodes at_nodes;
  CHECK(at_nodes.until(start + 5s) == 0s);
  at_nodes.begin(start + 1s);
  CHECK(at_nodes.until(start + 3s) == 2s);
  at_nodes.begin(start + 2s);
  at_nodes.end(start + 4s);
  CHECK(at_nodes.until(start + 5s) == 4s);
  at_nodes.end(start + 5s);
  CHECK(at_nodes.until(start + 9s) == 4s);
  at_nodes.begin(start + 10s);
  at_nodes.end(start + 11s);
  CHECK(at_nodes.until(start + 20s) == 5s);
}

TEST_CASE("a call tells how much of its time nodes took", "[router][time]") {
  ScriptedUpstream bad(answer(500, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("x", "m")).in_pieces_of(100, 20ms));
  Router router(config_of(bad, good));
  const Result<Reply> reply = router.route_chat(hello);
  REQUIRE(reply);
  CHECK(reply->at_nodes >= 20ms);
  CHECK(reply->at_nodes <= reply->time);
  SECTION("also one that failed") {
    Router alone(config_of(bad));
    const Result<Reply> failed = alone.route_chat(hello);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().at_nodes > 0s);
  }
}

// Keys that nodes refuse: how long they rest, and which one is used instead.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a refused key rests as long as it was told to", "[router][keys]") {
  struct Row {
    Script script;
    Duration rest;
  };
  const auto refusal = [](int status, Headers fields) {
    return answer(status, "{}", fields);
  };
  const auto row = GENERATE_COPY(
      Row{refusal(429, {{"Retry-After", "90"}}), 90s},
      Row{refusal(429, {{"Retry-After", "3600"}}), 120s}, // at most
      Row{refusal(401, {{"Retry-After", "7"}}), 7s}, Row{refusal(401, {}), 60s},
      Row{refusal(402, {}), 60s});
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

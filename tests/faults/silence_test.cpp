// Nodes that keep a call waiting: the call moves on, and does not come back to them.
#include "faults/fault.hpp"
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

using End = test::Ending;

Collected read(Router& router, std::string_view body = hello) {
  Result<Stream> stream = router.stream({.body = body});
  REQUIRE(stream);
  return collect(*stream);
}

}  // namespace

TEST_CASE("a stream whose first content is late moves on", "[faults][silence]") {
  const std::vector<std::string> begun =
      GENERATE(std::vector<std::string>{}, std::vector{chat_chunk("")},
               std::vector<std::string>{": ping\n\n"});
  ScriptedUpstream late(event_stream(begun, End::open).hang());
  ScriptedUpstream later(event_stream(begun, End::open).hang());
  ScriptedUpstream good(event_stream(good_events()));
  Config config = config_of(late, later, good);
  config.timeouts.first_content = 100ms;
  Router router(config);
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
  CHECK(nodes_asked(stream->reply().attempts) == std::vector<std::string>{"n1", "n2", "n3"});
  CHECK(stream->reply().attempts[0].error == ErrorCode::upstream_timeout);
  CHECK(stream->reply().attempts[1].error == ErrorCode::upstream_timeout);
  CHECK(late.wait_for_gone(1));
  CHECK(later.wait_for_gone(1));
  CHECK(router.snapshot().in_flight == 0);
}

TEST_CASE("the last candidate is given all the time there is", "[faults][silence]") {
  ScriptedUpstream late(event_stream({chat_chunk("")}, End::open).hang());
  Script slow = event_stream({chat_chunk("")}, End::open);
  slow.pause(300ms);
  for (const std::string& event : good_events()) slow.send(chunk(event));
  ScriptedUpstream last(slow.send(chunk("")));
  Config config = config_of(late, last);
  config.timeouts.first_content = 100ms;
  Router router(config);
  const Collected all = read(router);
  CHECK_FALSE(all.error);
  CHECK(late.request_count() == 1);
  CHECK(last.request_count() == 1);
}

TEST_CASE("a silent node is not asked twice by one call", "[faults][silence]") {
  ScriptedUpstream silent(Script{}.hang());
  Config config = config_of(silent);
  config.router.max_retries = 5;
  config.timeouts.headers = 100ms;
  config.timeouts.response = 100ms;
  Router router(config);
  SECTION("for a plain answer") {
    const Result<Reply> reply = router.route_chat(hello);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::upstream_timeout);
    CHECK(reply.error().attempts.size() == 1);
  }
  SECTION("for a stream") {
    const Result<Stream> stream = router.stream({.body = hello});
    REQUIRE_FALSE(stream);
    CHECK(stream.error().code == ErrorCode::upstream_timeout);
    CHECK(stream.error().attempts.size() == 1);
  }
  CHECK(silent.request_count() == 1);
  CHECK(silent.wait_for_gone(1));
}

TEST_CASE("a fallback model at the address of the silent one answers", "[faults][silence]") {
  const auto by_model = [](const SeenRequest& request) {
    const bool large = request.body.find(R"("large-id")") != std::string::npos;
    return large ? Script{}.hang() : event_stream(good_events());
  };
  ScriptedUpstream node(by_model);
  Config config = config_of(node);
  config.nodes[0].models = {"large-id", "small-id"};
  config.models = {{.name = "large", .model_id = "large-id", .fallbacks = {"small"}},
                   {.name = "small", .model_id = "small-id"}};
  config.timeouts.headers = 100ms;
  Router router(config);
  Result<Stream> stream = router.stream({.body = R"({"model":"large","messages":[]})"});
  REQUIRE(stream);
  CHECK_FALSE(collect(*stream).error);
  CHECK(stream->reply().model == "small");
  CHECK(nodes_asked(stream->reply().attempts) == std::vector<std::string>{"n1", "n1"});
  REQUIRE(node.request_count() == 2);
  CHECK(router.snapshot().nodes[0].breaker == "closed");
}

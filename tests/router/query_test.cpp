// A query behind the path goes to the node and changes nothing else.
#include <llmroute/wire/delta.hpp>

#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view path_with_query = "/v1/chat/completions?api-version=1&x=%2F";

std::vector<std::string> whole_stream() {
  return {chat_chunk("Hel"), chat_chunk("lo"), chat_finish(), done()};
}

std::string text_of(const Collected& all) {
  std::string text;
  for (const std::string& data : all.data) {
    for (const wire::Delta& delta : wire::read_deltas(data)) text += delta.content;
  }
  return text;
}

}  // namespace

TEST_CASE("a plain call with a query goes to another node", "[router][query]") {
  ScriptedUpstream bad(answer(503, "{}"));
  ScriptedUpstream good(answer(200, chat_completion("hi")));
  Router router(config_of(bad, good));
  const Result<Reply> reply = router.route({.path = path_with_query, .body = hello});
  REQUIRE(reply);
  CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n2"});
  CHECK(bad.requests()[0].target == path_with_query);
  CHECK(good.requests()[0].target == path_with_query);
}

TEST_CASE("a query is each call's own", "[router][query]") {
  ScriptedUpstream node(answer(200, chat_completion("hi")));
  Router router(config_of(node));
  const std::vector<std::string> paths{"/v1/chat/completions?v=1", "/v1/chat/completions",
                                       "/v1/chat/completions?v=2", "/v1/chat/completions?v=1"};
  for (const std::string& path : paths) REQUIRE(router.route({.path = path, .body = hello}));
  for (std::size_t i = 0; i < paths.size(); ++i) CHECK(node.requests()[i].target == paths[i]);
  CHECK(node.connections() == 1);
}

TEST_CASE("a stream with a query", "[router][query]") {
  SECTION("goes to another node before its first content") {
    ScriptedUpstream bad(answer(503, "{}"));
    ScriptedUpstream good(event_stream(whole_stream()));
    Router router(config_of(bad, good));
    Result<Stream> stream = router.stream({.path = path_with_query, .body = hello});
    REQUIRE(stream);
    CHECK(text_of(collect(*stream)) == "Hello");
    CHECK(good.requests()[0].target == path_with_query);
  }
  SECTION("goes on elsewhere after it") {
    ScriptedUpstream bad(event_stream({chat_chunk("Hel")}, test::Ending::open).close());
    ScriptedUpstream good(event_stream(whole_stream()));
    Router router(config_of(bad, good));
    Result<Stream> stream = router.stream({.path = path_with_query, .body = hello});
    REQUIRE(stream);
    const Collected all = collect(*stream);
    CHECK_FALSE(all.error);
    CHECK(text_of(all) == "Hello");
    CHECK(good.requests()[0].target == path_with_query);
  }
}

TEST_CASE("a path that a node has not got is absent with any query", "[router][query]") {
  ScriptedUpstream first(answer(404, R"({"detail":"Not Found"})"));
  ScriptedUpstream second(answer(200, chat_completion("hi")));
  Router router(config_of(first, second));
  REQUIRE(router.route({.path = "/v1/chat/completions?v=1", .body = hello}));
  REQUIRE(router.route({.path = "/v1/chat/completions?v=2", .body = hello}));
  CHECK(first.request_count() == 1);
}

TEST_CASE("a query cannot make another request, and is not repeated in an error",
          "[router][query]") {
  ScriptedUpstream node(answer(200, chat_completion("hi")));
  Router router(config_of(node));
  for (const std::string& query : std::vector<std::string>{"?a b", "?a\r\nX-Own: 1", "?\xc3\xa9"}) {
    const std::string path = std::string("/v1/chat/completions").append(query);
    const Result<Reply> reply = router.route({.path = path, .body = hello});
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::invalid_argument);
    CHECK(reply.error().param == "path");
    CHECK(reply.error().message.find('?') == std::string::npos);
  }
  CHECK(node.request_count() == 0);
}

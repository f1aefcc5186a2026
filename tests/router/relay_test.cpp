// Requests that are no inference: passed on as they are, to the first node that serves them.
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

Request get(std::string_view path) { return {.path = path, .method = HttpMethod::get}; }

}  // namespace

TEST_CASE("a request that is no inference", "[router][relay]") {
  ScriptedUpstream first(answer(404, R"({"error":{"message":"no such file"}})"));
  ScriptedUpstream second(answer(200, "bytes, and no JSON", {{"Content-Type", "audio/mpeg"}}));
  Router router(config_of(first, second));
  SECTION("is answered by the first node that has it") {
    const Result<Reply> reply = router.route(get("/v1/files/f-1/content?part=2"));
    REQUIRE(reply);
    CHECK(reply->body == "bytes, and no JSON");
    CHECK(reply->headers.find("content-type") == "audio/mpeg");
    CHECK(nodes_asked(reply->attempts) == std::vector<std::string>{"n1", "n2"});
    CHECK(second.requests()[0].method == "GET");
    CHECK(second.requests()[0].target == "/v1/files/f-1/content?part=2");
    CHECK_FALSE(second.requests()[0].headers.find("content-type"));
    CHECK_FALSE(second.requests()[0].headers.find("content-length"));
  }
  SECTION("keeps its method, its type and its bytes") {
    const auto method = GENERATE(HttpMethod::post, HttpMethod::put, HttpMethod::patch);
    const std::string form = "--b\r\n\r\n\0x\r\n--b--";
    REQUIRE(router.route({.path = "/v1/files",
                          .body = form,
                          .headers = {{"Content-Type", "multipart/form-data; boundary=b"}},
                          .method = method}));
    CHECK(second.requests()[0].method == name(method));
    CHECK(second.requests()[0].body == form);
    CHECK(second.requests()[0].headers.find("content-type") == "multipart/form-data; boundary=b");
  }
  SECTION("may be a DELETE, or a HEAD") {
    REQUIRE(router.route({.path = "/v1/files/f-1", .method = HttpMethod::delete_}));
    REQUIRE(router.route({.path = "/v1/files/f-1", .method = HttpMethod::head}));
    CHECK(second.requests()[0].method == "DELETE");
    CHECK(second.requests()[1].method == "HEAD");
  }
  SECTION("is no stream") {
    const Result<Stream> stream = router.stream({.path = "/v1/batches", .body = "{}"});
    REQUIRE_FALSE(stream);
    CHECK(stream.error().code == ErrorCode::invalid_argument);
    CHECK(stream.error().param == "path");
  }
  SECTION("does not make the node's path known as absent") {
    REQUIRE(router.route(get("/v1/files/f-1")));
    REQUIRE(router.route(get("/v1/files/f-1")));
    CHECK(first.request_count() == 2);
  }
}

TEST_CASE("a request that no node serves gets the last refusal, as it came", "[router][relay]") {
  const std::string said = R"({"error":{"message":"Not Found","code":404}})";
  ScriptedUpstream node(answer(404, said));
  Config config = config_of(node);
  config.nodes.push_back(
      {.name = "gone", .url = "http://127.0.0.1:" + std::to_string(refused_port()), .priority = 9});
  Router router(config);
  const Result<Reply> reply = router.route(get("/v1/assistants"));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().client_status() == 404);
  CHECK(reply.error().body == said);
  CHECK(reply.error().attempts.size() == 2);
  CHECK(reply.error().message == "GET /v1/assistants: 2 tried, last n1: 404");
}

TEST_CASE("a request that may have had an effect is not put to a second node", "[router][relay]") {
  ScriptedUpstream first(answer(500, R"({"error":{"message":"broken"}})"));
  ScriptedUpstream second(answer(200, "{}"));
  Router router(config_of(first, second));
  const Result<Reply> created = router.route({.path = "/v1/batches", .body = "{}"});
  REQUIRE_FALSE(created);
  CHECK(created.error().http_status == 500);
  CHECK(second.request_count() == 0);
  CHECK(router.route(get("/v1/batches")));
  CHECK(second.request_count() == 1);
}

TEST_CASE("a request that was never sent goes to another node, whatever it is", "[router][relay]") {
  ScriptedUpstream node(answer(200, "{}"));
  const std::string gone = "http://127.0.0.1:" + std::to_string(refused_port());
  Router router(config_for({gone, node.url()}));
  CHECK(router.route({.path = "/v1/batches", .body = "{}"}));
  CHECK(node.request_count() == 1);
}

TEST_CASE("a request that may have had an effect is not sent twice over a connection that is lost",
          "[router][relay]") {
  ScriptedUpstream node([](const SeenRequest& seen) {
    return seen.method == "POST" ? Script{}.close() : answer(200, "{}");
  });
  Router router(config_of(node));
  REQUIRE(router.route(get("/v1/batches")));  // leaves a connection to be used again
  CHECK_FALSE(router.route({.path = "/v1/batches", .body = "{}"}));
  CHECK(node.request_count() == 2);
}

TEST_CASE("a path cannot name another host or make another request", "[router][relay]") {
  ScriptedUpstream node(answer(200, "{}"));
  ScriptedUpstream other(answer(200, "{}"));
  Config config = config_of(node);
  config.nodes[0].base_path = "";
  Router router(config);
  const std::string elsewhere = "@127.0.0.1:" + std::to_string(other.port()) + "/";
  for (const std::string& path : std::vector<std::string>{
           elsewhere, "", "v1/files", "/v1/a b", "/v1/a\r\nX-Own: 1", "/v1/\x7f", "/v1/\xc3\xa9"}) {
    CAPTURE(path);
    const Result<Reply> reply = router.route(get(path));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::invalid_argument);
    CHECK(reply.error().param == "path");
  }
  CHECK(other.request_count() == 0);
  CHECK(node.request_count() == 0);
}

TEST_CASE("a request that is passed on has clocks", "[router][relay]") {
  ScriptedUpstream silent(Script{}.hang());
  ScriptedUpstream other(answer(200, "{}"));
  Config config = config_of(silent, other);
  config.timeouts.attempt = 50ms;
  Router router(config);
  CHECK(router.route(get("/v1/files")));
  const Result<Reply> created = router.route({.path = "/v1/batches", .body = "{}"});
  REQUIRE_FALSE(created);
  CHECK(created.error().code == ErrorCode::upstream_timeout);
  CHECK(other.request_count() == 1);
}

TEST_CASE("a request that is passed on finds nobody", "[router][relay]") {
  ScriptedUpstream node(answer(200, "{}"));
  Router router(config_of(node));
  REQUIRE(router.drain_node("n1", true));
  const Result<Reply> reply = router.route(get("/v1/files"));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::no_healthy_node);
}

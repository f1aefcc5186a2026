/// The table of routes, walked.
#include <catch2/catch.hpp>
#include <set>

#include "gateway/route_table.hpp"

using gateway::Access;
using gateway::Endpoint;
using gateway::find_route;

TEST_CASE("only what tells nothing about callers and nodes is open", "[gateway][routes]") {
  std::set<std::string_view> open;
  for (const gateway::Route& route : gateway::routes()) {
    if (route.access == Access::open) open.insert(route.path);
  }
  CHECK(open == std::set<std::string_view>{"/", "/health", "/livez", "/readyz", "/metrics",
                                           "/version", "/ui"});
}

TEST_CASE("what is below /admin wants the admin key, and nothing else does", "[gateway][routes]") {
  for (const gateway::Route& route : gateway::routes()) {
    CAPTURE(route.path);
    CHECK((route.access == Access::admin) == route.path.starts_with("/admin/"));
    const std::string path(route.path);
    CHECK(find_route("PATCH", path).access == route.access);
    CHECK(find_route(route.method, path).access == route.access);
  }
}

TEST_CASE("segments in braces are any, but not none", "[gateway][routes]") {
  const auto ids = [](std::string_view path) {
    const auto found = find_route("PUT", path);
    REQUIRE(found.route != nullptr);
    return gateway::path_ids(*found.route, path);
  };
  CHECK(ids("/admin/v1/models/a-1") == std::vector<std::string>{"a-1"});
  CHECK(ids("/admin/v1/models/a%2Fb/backends/c%20") == std::vector<std::string>{"a/b", "c "});
  for (const char* path :
       {"/admin/v1/models/", "/admin/v1/models//backends/b", "/admin/v1/models/a/backends/",
        "/admin/v1/models/a/b", "/admin/v1/models/a/backends/b/c", "/admin/v1/keys/a/"}) {
    CAPTURE(path);
    CHECK(find_route("PUT", path).route == nullptr);
    CHECK(find_route("PUT", path).allowed.empty());
  }
  CHECK(find_route("PATCH", "/admin/v1/keys/a").allowed == "GET, PUT, DELETE");
}

TEST_CASE("every row is found by its own method and path", "[gateway][routes]") {
  for (const gateway::Route& route : gateway::routes()) {
    CAPTURE(route.path);
    const auto found = find_route(route.method, route.path);
    REQUIRE(found.route != nullptr);
    CHECK(found.route->path == route.path);
  }
}

TEST_CASE("a path that is not there, or not with this method", "[gateway][routes]") {
  for (const char* path :
       {"/v1", "/v1/chat", "/v1/chat/completions/", "/v1/models/", "/healthz", "", "//"}) {
    CAPTURE(path);
    CHECK(find_route("GET", path).route == nullptr);
    CHECK(find_route("GET", path).allowed.empty());
  }
  CHECK(find_route("GET", "/v1/chat/completions").allowed == "POST");
  CHECK(find_route("DELETE", "/v1/models/a").allowed == "GET");
}

TEST_CASE("a model's id is the rest of the path", "[gateway][routes]") {
  const auto rest = [](std::string_view path) {
    const auto found = find_route("GET", path);
    REQUIRE(found.route != nullptr);
    REQUIRE(found.route->endpoint == Endpoint::model);
    return gateway::path_rest(*found.route, path);
  };
  CHECK(rest("/v1/models/meta-llama/Llama-3") == "meta-llama/Llama-3");
  CHECK(rest("/v1/models/meta%2Fllama%20x") == "meta/llama x");
  CHECK(rest("/v1/models/a%2") == "a%2");
  CHECK(rest("/v1/models/a%zz") == "a%zz");
}

/// The tree that all forms of a configuration become.
#include <catch2/catch.hpp>

#include "gateway/setting.hpp"

using gateway::Setting;

TEST_CASE("a setting", "[gateway][setting]") {
  Setting root;
  root.set("server.port", {.value = std::int64_t{8000}, .place = "f:2"});
  root.set("router.strategy", {.value = "p\"2c", .place = "f:4"});
  Setting node{.value = Setting::Table{{"url", {.value = "http://a", .place = "f:7"}}},
               .place = "f:6"};
  root.set("nodes", {.value = Setting::Array{node, node}, .place = "f:6"});
  root.set("nodes2", {.value = 0.5});
  root.set("flag", {.value = true});

  SECTION("is found by its dotted key") {
    REQUIRE(root.find("nodes[1].url") != nullptr);
    CHECK(std::get<std::string>(root.find("nodes[1].url")->value) == "http://a");
    CHECK(root.find("nodes[2].url") == nullptr);
    CHECK(root.find("server.port.deeper") == nullptr);
    CHECK(root.find("absent") == nullptr);
  }
  SECTION("knows its place, or that of what is around it") {
    CHECK(root.place_of("server.port") == "f:2");
    CHECK(root.place_of("nodes[0].url") == "f:7");
    CHECK(root.place_of("nodes[0].weight") == "f:6");
    CHECK(root.place_of("absent").empty());
  }
  SECTION("is replaced by a later one") {
    root.set("server.port", {.value = std::int64_t{1}, .place = "--port"});
    CHECK(std::get<std::int64_t>(root.find("server.port")->value) == 1);
    CHECK(root.place_of("server.port") == "--port");
  }
  SECTION("is taken out") {
    CHECK(std::get<std::string>(take(root, "nodes[0].url")->value) == "http://a");
    CHECK(root.find("nodes[0].url") == nullptr);
    CHECK(take(root, "nodes[0]")->table().empty());
    CHECK(root.find("nodes[0].url") != nullptr);
    CHECK(take(root, "flag").has_value());
    CHECK(root.find("flag") == nullptr);
    CHECK_FALSE(take(root, "flag").has_value());
    CHECK_FALSE(take(root, "").has_value());
  }
  SECTION("becomes JSON") {
    CHECK(
        to_json(root) ==
        R"({"server":{"port":8000},"router":{"strategy":"p\"2c"},"nodes":[{"url":"http://a"},{"url":"http://a"}],"nodes2":0.5,"flag":true})");
  }
}

TEST_CASE("a message names the place and the key it is about", "[gateway][setting]") {
  CHECK(gateway::at_place("f:1", "a.b", "is bad") == "f:1: key \"a.b\": is bad");
  CHECK(gateway::at_place("f:1", "", "is bad") == "f:1: is bad");
  CHECK(gateway::at_place("", "", "is bad") == "is bad");
  CHECK(gateway::at_place("f:1", "a\nb\x7F", "is\tbad") == "f:1: key \"a?b?\": is?bad");

  SECTION("but no token") {
    CHECK(gateway::at_place("f:1", "tenants.sk.1", "is bad") ==
          "f:1: key \"tenants.****\": is bad");
    CHECK(gateway::at_place("", "auth.tokens.sk-1[0]", "is bad") ==
          "key \"auth.tokens.****\": is bad");
    for (const std::string key :
         {"tenants", "auth.tokens", "tenantss.a", "auth.tokenss", "auth.a"}) {
      CHECK(gateway::at_place("", key, "is bad") == "key \"" + key + "\": is bad");
    }
  }
}

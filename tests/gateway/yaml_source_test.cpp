/// YAML: what its scalars mean, where they stand, and what is refused of it.
#include <catch2/catch.hpp>

#include "gateway/utf8.hpp"
#include "gateway/yaml_scalar.hpp"
#include "gateway/yaml_source.hpp"

using gateway::read_yaml;
using gateway::Setting;

namespace {

Setting good(std::string_view text, const gateway::Expand& expand = {}) {
  auto setting = read_yaml(text, "f.yaml", expand);
  if (!setting) FAIL(setting.error().message);
  return *setting;
}

std::string json_of(std::string_view text) { return to_json(good(text)); }

std::string message_of(std::string_view text) {
  const auto setting = read_yaml(text, "f.yaml");
  REQUIRE_FALSE(setting.has_value());
  CHECK(setting.error().code == llmroute::ErrorCode::invalid_config);
  CHECK(setting.error().message.find('\n') == std::string::npos);
  return setting.error().message;
}

}  // namespace

TEST_CASE("a scalar of YAML means what the core schema says", "[gateway][yaml]") {
  CHECK(json_of("a: 1") == R"({"a":1})");
  CHECK(json_of("a: -7") == R"({"a":-7})");
  CHECK(json_of("a: +7") == R"({"a":7})");
  CHECK(json_of("a: 007") == R"({"a":7})");
  CHECK(json_of("a: 0x1f") == R"({"a":31})");
  CHECK(json_of("a: 0o17") == R"({"a":15})");
  CHECK(json_of("a: 0.5") == R"({"a":0.5})");
  CHECK(json_of("a: .5") == R"({"a":0.5})");
  CHECK(json_of("a: +1e3") == R"({"a":1000})");
  CHECK(json_of("a: true") == R"({"a":true})");
  CHECK(json_of("a: FALSE") == R"({"a":false})");
  for (const std::string text : {"10s", "yes", "off", "1.2.3", "0x", "0x-1", ".", "1e", "e5", "+-1",
                                 "-+1", "infinity", "nan", "http://a:1/b"}) {
    CHECK(json_of("a: " + text) == "{\"a\":\"" + text + "\"}");
  }
  CHECK(json_of("a: \"1\"\nb: 'true'\nc: !!str 5") == R"({"a":"1","b":"true","c":"5"})");
  CHECK(json_of("a: !!int 5") == R"({"a":5})");
  CHECK(gateway::is_yaml_null("~"));
  CHECK_FALSE(gateway::yaml_scalar("-.inf").has_value());

  SECTION("and nothing, as if the key were not there") {
    CHECK(json_of("a: ~\nb: null\nc:\nd: 1") == R"({"d":1})");
    CHECK(json_of("") == "{}");
    CHECK(json_of("# nothing\n---\n") == "{}");
  }
}

TEST_CASE("lists, tables and aliases of YAML become settings", "[gateway][yaml]") {
  CHECK(json_of("a:\n  - 1\n  - { b: [x, 2] }\n") == R"({"a":[1,{"b":["x",2]}]})");
  CHECK(json_of("a: &x { b: 1 }\nc: *x\nd: [*x, *x]") ==
        R"({"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]})");
  CHECK(json_of("{\"a\": {\"b\": [1, 2.5, \"x\", true]}}") == R"({"a":{"b":[1,2.5,"x",true]}})");
  CHECK(json_of("a: |\n  two\n  lines\n") == R"({"a":"two\nlines\n"})");
}

TEST_CASE("a setting from YAML knows its line", "[gateway][yaml]") {
  const Setting root = good("# first\nserver:\n  port: 1\nnodes:\n  - url: x\n  -\n    url: y\n");
  CHECK(root.place_of("server") == "f.yaml:2");
  CHECK(root.place_of("server.port") == "f.yaml:3");
  CHECK(root.place_of("nodes[0].url") == "f.yaml:5");
  CHECK(root.place_of("nodes[1]") == "f.yaml:7");
  CHECK(root.place_of("nodes[1].url") == "f.yaml:7");
}

TEST_CASE("what is no table of keys in YAML is refused with its line", "[gateway][yaml]") {
  using Catch::Contains;
  CHECK_THAT(message_of("a: 1\nb: [1\n"), Contains("f.yaml:") && Contains("not YAML"));
  CHECK_THAT(message_of("a: 1\n\tb: 2\n"), Contains("f.yaml:2") && Contains("not YAML"));
  CHECK_THAT(message_of("- 1\n- 2\n"), Contains("f.yaml:1") && Contains("table of keys"));
  CHECK_THAT(message_of("just words"), Contains("table of keys"));
  CHECK_THAT(message_of("a: *nobody\n"), Contains("f.yaml:1"));
  CHECK_THAT(message_of("a: 1\n---\nb: 1\n"), Contains("second document"));
  CHECK_THAT(message_of(",&"), Contains("f.yaml:1") && Contains("second document"));
  CHECK_THAT(message_of("a: 1\nb: .inf\n"), Contains("f.yaml:2") && Contains("\"b\""));
  CHECK_THAT(message_of("a: [1, ~]\n"), Contains("\"a[1]\"") && Contains("without a value"));
  CHECK_THAT(message_of("a: !mine 1\n"), Contains("tag"));
  CHECK_THAT(message_of("a: !mine [1]\n"), Contains("tag"));
  CHECK_THAT(message_of("? [1]\n: 2\n"), Contains("takes a text for a key"));
  CHECK_THAT(message_of("~: 2\n"), Contains("without a name"));
  CHECK_THAT(message_of("a: &x 1\n? *x\n: 2\n"), Contains("takes no alias for a key"));
  CHECK_THAT(message_of("a: 1\nb: \xff\n"), Contains("f.yaml:2") && Contains("UTF-8"));

  SECTION("as is a key that is given twice, at every depth") {
    CHECK_THAT(message_of("a: 1\nb: 2\na: 3\n"),
               Contains("f.yaml:3") && Contains("\"a\"") && Contains("first at f.yaml:1"));
    CHECK_THAT(message_of("a:\n  - b: 1\n    b: 2\n"),
               Contains("f.yaml:3") && Contains("\"a[0].b\"") && Contains("first at f.yaml:2"));
    CHECK_THAT(message_of("a: ~\na: 3\n"), Contains("given twice"));
  }
  SECTION("as is what would make much of little") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
      const std::string name = "a" + std::to_string(i);
      const std::string one = "*a" + std::to_string(i - 1);
      bomb += name + ": &" + name + " [" + one;
      for (int j = 1; j < 10; ++j) bomb += ", " + one;
      bomb += "]\n";
    }
    CHECK_THAT(message_of(bomb), Contains("too large"));
    CHECK_THAT(message_of("a: &a [*a]\n"), Contains("part of"));
    CHECK_THAT(message_of("a: " + std::string(100, '[') + std::string(100, ']')),
               Contains("too deeply"));
    CHECK_THAT(message_of("a: " + std::string(100000, '[')), Contains("f.yaml:1"));
  }
}

TEST_CASE("a scalar's text may be exchanged before it is looked at", "[gateway][yaml]") {
  std::vector<std::string> keys;
  const gateway::Expand expand = [&](std::string_view key,
                                     std::string text) -> llmroute::Result<std::string> {
    keys.emplace_back(key);
    if (text == "bad") return llmroute::Error{.message = "is refused"};
    return text == "N" ? "5" : text == "E" ? "" : text;
  };
  CHECK(to_json(good("a: N\nb: { c: [E x, \"N\"] }\nd: E\n", expand)) ==
        R"({"a":5,"b":{"c":["E x","5"]}})");
  CHECK(keys == std::vector<std::string>{"a", "b.c[0]", "b.c[1]", "d"});
  const auto refused = read_yaml("a: 1\nb:\n  c: bad\n", "f.yaml", expand);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message == "f.yaml:3: key \"b.c\": is refused");
}

TEST_CASE("bytes that are no UTF-8 are found by their line", "[gateway][yaml]") {
  using gateway::first_line_not_utf8;
  for (const char* text : {"", "abc\n", "\xC3\xA4", "\xE2\x82\xAC\n\xF0\x9F\x98\x80",
                           "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF"}) {
    CHECK_FALSE(first_line_not_utf8(text).has_value());
  }
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE2\x82", "\xE0\x80\x80", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82X", "\xFF"}) {
    CHECK(first_line_not_utf8(text) == 1);
    CHECK(first_line_not_utf8("a\n\n" + std::string(text)) == 3);
  }
}

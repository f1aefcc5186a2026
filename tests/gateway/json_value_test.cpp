/// Reading objects member by member, and writing them.
#include "gateway/json_value.hpp"

#include <catch2/catch.hpp>

using gateway::JsonValue;
using gateway::JsonWriter;
using gateway::read_object;

TEST_CASE("the members of an object stay as they were written", "[gateway][json]") {
  const auto members = read_object(
      R"( { "a" : 1.50 , "b":"x\"}\\" ,"c" : { "d" : [ 1 , {"e":"]"} ] }, "\u0066" : null } )");
  REQUIRE(members);
  REQUIRE(members->size() == 4);
  CHECK((*members)[0].name == "a");
  CHECK((*members)[0].value.raw() == "1.50");
  CHECK((*members)[1].value.text() == "x\"}\\");
  CHECK((*members)[2].value.raw() == R"({ "d" : [ 1 , {"e":"]"} ] })");
  CHECK((*members)[2].value.is_object());
  CHECK((*members)[3].name == "f");
  CHECK((*members)[3].value.is_null());
  CHECK(read_object("{}")->empty());
}

TEST_CASE("what is no object in strict JSON", "[gateway][json]") {
  for (const char* wrong : {"", "null", "[]", "{", R"({"a":1,})", R"({"a":NaN})", R"({"a":tru})",
                            R"({"a":"\ud800"})", "{\"a\":\"\xff\"}", R"({"a":1} x)"}) {
    CAPTURE(wrong);
    const auto members = read_object(wrong);
    REQUIRE_FALSE(members);
    CHECK(members.error().code == llmroute::ErrorCode::invalid_argument);
  }
  const auto twice = read_object(R"({"a":1,"a":2})");
  REQUIRE_FALSE(twice);
  CHECK(twice.error().param == "a");
}

TEST_CASE("values by kind", "[gateway][json]") {
  CHECK(JsonValue("true").flag() == true);
  CHECK(JsonValue("false").flag() == false);
  CHECK_FALSE(JsonValue("1").flag());
  CHECK(JsonValue(R"("ä\n")").text() == "ä\n");
  CHECK_FALSE(JsonValue("1").text());
  CHECK(JsonValue("-12").whole() == -12);
  CHECK_FALSE(JsonValue("1.0").whole());
  CHECK_FALSE(JsonValue("99999999999999999999").whole());
  CHECK(JsonValue("1e3").number() == 1000.0);
  CHECK_FALSE(JsonValue("\"1\"").number());
  CHECK(JsonValue("null").is_null());
  CHECK_FALSE(JsonValue("[]").is_object());
  CHECK(JsonValue(R"([ "a" , "b\",c" ])").texts() == std::vector<std::string>{"a", "b\",c"});
  CHECK(JsonValue("[]").texts() == std::vector<std::string>{});
  CHECK_FALSE(JsonValue(R"(["a",1])").texts());
  CHECK_FALSE(JsonValue("{}").texts());
}

TEST_CASE("an object is written in order", "[gateway][json]") {
  CHECK(JsonWriter()
            .add("a", "x\"")
            .add("b", true)
            .add("c", 1.5)
            .add("d", std::optional<std::int64_t>(7))
            .add("e", std::optional<std::int64_t>())
            .add_json("f", gateway::json_list({"g", "h"}))
            .end() == R"({"a":"x\"","b":true,"c":1.5,"d":7,"e":null,"f":["g","h"]})");
  CHECK(JsonWriter().end() == "{}");
}

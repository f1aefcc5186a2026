/// Keys that differ in nothing but the case of their letters.
#include "gateway/json_keys.hpp"

#include <catch2/catch.hpp>
#include <string>

using gateway::has_key_in_other_letters;

TEST_CASE("a key in other letters is found", "[gateway][json]") {
  for (const std::string json :
       {R"({"Model":"x"})", R"({"model":"a","MODEL":"b"})",
        R"( { "a" : [1, {"b": 2}] , "modeL" : 1 } )", R"({"\u004dodel":1})",
        R"({"\u004D\u006f\u0064\u0065\u006c":1})", R"({"a":"\\","Model":1})",
        R"({"a":"\"","b":{},"mOdel":1})", R"({"a":{"b":["c",{"d":"e"}]},"Model":1})"}) {
    CAPTURE(json);
    CHECK(has_key_in_other_letters(json, "model"));
  }
}

TEST_CASE("what is no key of the object's own is let be", "[gateway][json]") {
  for (const std::string json :
       {"{}", "", R"({"model":"Model"})", R"({"a":["Model"],"b":"Model"})", R"({"a":{"Model":1}})",
        R"({"a":[{"Model":1},{"MODEL":2}],"model":1})", R"({"\u006dodel":1})",
        R"({"Models":1,"Mode":2})", R"({"a":"{\"Model\":1}"})", R"({"a":"\\\",\"Model\":1"})"}) {
    CAPTURE(json);
    CHECK_FALSE(has_key_in_other_letters(json, "model"));
  }
}

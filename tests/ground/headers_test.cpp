// Header fields: order kept, case ignored.
#include <catch2/catch.hpp>
#include <llmroute/headers.hpp>

using namespace llmroute;

TEST_CASE("header fields are found without regard to case", "[ground][headers]") {
  Headers headers{{"Content-Type", "text/plain"}};
  headers.add("X-One", "1");
  headers.add("x-one", "2");
  CHECK(headers.size() == 3);
  CHECK(headers.find("content-type") == "text/plain");
  CHECK(headers.find("X-ONE") == "1");  // the first
  CHECK_FALSE(headers.find("x-on"));
  CHECK_FALSE(headers.find("x-one "));
  SECTION("and stay in the order they came") {
    auto field = headers.begin();
    CHECK(field->name == "Content-Type");
    CHECK((++field)->value == "1");
    CHECK((++field)->value == "2");
    CHECK(++field == headers.end());
  }
  SECTION("until they are cleared") {
    CHECK_FALSE(headers.empty());
    headers.clear();
    CHECK(headers.empty());
  }
}

TEST_CASE("only ASCII letters have case in a field name", "[ground][headers]") {
  CHECK(same_field_name("AZ-az", "az-AZ"));
  CHECK_FALSE(same_field_name("[", "{"));
  CHECK_FALSE(same_field_name("@", "`"));
}

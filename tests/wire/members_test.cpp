// Where the parts of a JSON text stand.
#include <catch2/catch.hpp>
#include <llmroute/wire/members.hpp>

using namespace llmroute::wire;

namespace {

/// "name=value" of each member.
std::vector<std::string> members_of(std::string_view object) {
  std::vector<std::string> all;
  const auto members = read_members(object).value();
  for (const llmroute::wire::Member& member : members) {
    all.push_back(member.name + "=" + std::string(at(object, member.value)));
  }
  return all;
}

std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> all;
  const auto items = read_items(list).value();
  for (const Span& item : items) all.emplace_back(at(list, item));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("members of an object stand where they were written", "[members]") {
  CHECK(members_of(R"({"a":1,"b":"x"})") == Texts{"a=1", R"(b="x")"});
  CHECK(members_of(" {\n \"a\" :\t[1, {\"a\":2} ] \r, \"b\" : { \"c\" : [ ] } , \"d\":null } ") ==
        Texts{"a=[1, {\"a\":2} ]", "b={ \"c\" : [ ] }", "d=null"});
  CHECK(members_of("{}").empty());
  CHECK(members_of(R"({"":""})") == Texts{R"(="")"});
}

TEST_CASE("a member is known by its unescaped name, its value stays as written", "[members]") {
  CHECK(members_of(R"({"t\u0065mp":1.0e+2,"q\"":"\ud83d\ude00\/"})") ==
        Texts{"temp=1.0e+2", R"(q"="\ud83d\ude00\/")"});
}

TEST_CASE("of members given twice both are there, and the last is found", "[members]") {
  const std::string_view text = R"({"a":1,"b":2,"a":3})";
  const auto members = read_members(text).value();
  REQUIRE(members.size() == 3);
  CHECK(at(text, find_member(members, "a")->value) == "3");
  CHECK(find_member(members, "c") == nullptr);
}

TEST_CASE("what is no whole object has no members", "[members]") {
  for (const char* text : {"", "[]", "1", "null", R"({"a":1)", R"({"a")", R"({"a":1} {})", "{a:1}",
                           R"({"a":})", R"({"a":[1)"}) {
    CAPTURE(text);
    CHECK_FALSE(read_members(text));
  }
}

TEST_CASE("items of a list stand where they were written", "[members]") {
  CHECK(items_of(R"([ 1 ,"a]", {"b":[2]} ,[ ] , null])") ==
        Texts{"1", R"("a]")", R"({"b":[2]})", "[ ]", "null"});
  CHECK(items_of("[ ]").empty());
  for (const char* text : {"", "{}", "1", "[1", "[1,]", "[1] [2]"}) {
    CAPTURE(text);
    CHECK_FALSE(read_items(text));
  }
}

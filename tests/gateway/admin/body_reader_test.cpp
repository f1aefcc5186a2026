/// Fields of admin requests: kinds, ranges, what is not known.
#include "gateway/admin/body_reader.hpp"

#include <catch2/catch.hpp>

using gateway::BodyReader;

namespace {

struct Fields {
  std::string name = "before";
  std::string text = "before";
  bool flag = true;
  double weight = 1;
  std::optional<std::int64_t> limit = 7;
  std::optional<gateway::Timestamp> moment = 8;
  std::vector<std::string> names = {"before"};
  std::string object = "{}";
};

llmroute::Result<void> read(std::string_view body, Fields& out) {
  BodyReader in(body);
  in.read_name("name", out.name);
  in.read_text("text", out.text);
  in.read("flag", out.flag);
  in.read_weight("weight", out.weight);
  in.read_limit("limit", out.limit);
  in.read_moment("moment", out.moment);
  in.read_names("names", out.names);
  in.read_object("object", out.object);
  return in.end();
}

}  // namespace

TEST_CASE("what is there is read", "[gateway][admin]") {
  Fields out;
  REQUIRE(read(R"({"name":"n","text":"","flag":false,"weight":0.5,"limit":0,"names":["a","b"],
                   "moment":"1970-01-01T00:00:01Z","object":{"x": 1.0}})",
               out));
  CHECK(out.name == "n");
  CHECK(out.text.empty());
  CHECK_FALSE(out.flag);
  CHECK(out.weight == 0.5);
  CHECK(out.limit == 0);
  CHECK(out.moment == 1'000'000);
  CHECK(out.names == std::vector<std::string>{"a", "b"});
  CHECK(out.object == R"({"x": 1.0})");
}

TEST_CASE("what is not there stays", "[gateway][admin]") {
  Fields out;
  REQUIRE(read("{}", out));
  CHECK(out.name == "before");
  CHECK(out.limit == 7);
  CHECK(out.names.size() == 1);
}

TEST_CASE("null sets back", "[gateway][admin]") {
  Fields out{.object = R"({"x":1})"};
  REQUIRE(read(R"({"text":null,"limit":null,"moment":null,"names":null,"object":null})", out));
  CHECK(out.text.empty());
  CHECK_FALSE(out.limit);
  CHECK_FALSE(out.moment);
  CHECK(out.names.empty());
  CHECK(out.object == "{}");
}

TEST_CASE("a field of another kind is refused by name", "[gateway][admin]") {
  const auto [body, param] =
      GENERATE(table<const char*, const char*>({{R"({"name":""})", "name"},
                                                {R"({"name":null})", "name"},
                                                {R"({"name":"a\u0000b"})", "name"},
                                                {R"({"name":"a\nb"})", "name"},
                                                {R"({"name":1})", "name"},
                                                {R"({"text":1})", "text"},
                                                {R"({"flag":"true"})", "flag"},
                                                {R"({"flag":null})", "flag"},
                                                {R"({"weight":-1})", "weight"},
                                                {R"({"weight":"1"})", "weight"},
                                                {R"({"weight":1e300})", "weight"},
                                                {R"({"limit":1.5})", "limit"},
                                                {R"({"limit":-1})", "limit"},
                                                {R"({"limit":9999999999999999999})", "limit"},
                                                {R"({"moment":1})", "moment"},
                                                {R"({"moment":"soon"})", "moment"},
                                                {R"({"names":"a"})", "names"},
                                                {R"({"names":["a",1]})", "names"},
                                                {R"({"names":[""]})", "names"},
                                                {R"({"object":[]})", "object"},
                                                {R"({"nmae":"x"})", "nmae"},
                                                {R"({"flag":true,"flag":true})", "flag"},
                                                {R"([])", ""},
                                                {R"({"name")", ""},
                                                {"", ""}}));
  CAPTURE(body);
  Fields out;
  const auto done = read(body, out);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == llmroute::ErrorCode::invalid_argument);
  CHECK(done.error().param == param);
  CHECK(out.name == "before");
}

TEST_CASE("an unknown field comes with the nearest one", "[gateway][admin]") {
  Fields out;
  CHECK(read(R"({"wieght":1})", out).error().message.find("\"weight\"") != std::string::npos);
  CHECK_FALSE(read(R"({"name":")" + std::string(257, 'x') + R"("})", out));
  CHECK(read(R"({"name":")" + std::string(256, 'x') + R"("})", out));
}

TEST_CASE("what has to be there", "[gateway][admin]") {
  BodyReader in("{}");
  CHECK_FALSE(in.has("url"));
  in.require("url");
  const auto done = in.end();
  REQUIRE_FALSE(done);
  CHECK(done.error().param == "url");
  CHECK(BodyReader(R"({"url":null})").has("url"));
}

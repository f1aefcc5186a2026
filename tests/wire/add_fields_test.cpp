// Fields put into a request that has not got them.
#include <catch2/catch.hpp>
#include <llmroute/wire/add_fields.hpp>

using namespace llmroute::wire;

namespace {

std::string added(std::string_view body, std::string_view defaults,
                  std::string_view path = "/v1/chat/completions") {
  const auto members = read_members(body).value();
  const auto fields = read_fields(defaults).value();
  const std::optional<Edit> edit = add_fields(read_request(body).value(), members, fields, path);
  return edit ? splice(body, {*edit}) : std::string(body);
}

}  // namespace

TEST_CASE("a field that is missing is put in front, of any kind", "[add_fields]") {
  CHECK(
      added(R"({"a":1})", R"({"t":0.70,"s":"x\n","l":[1,{}],"o":{"k":null},"n":null,"b":true})") ==
      R"({"t":0.70,"s":"x\n","l":[1,{}],"o":{"k":null},"n":null,"b":true,"a":1})");
}

TEST_CASE("a field that the caller gives is never overridden", "[add_fields]") {
  for (const char* body : {R"({"t":1})", R"({"t":null})", R"({"\u0074":2})", R"({"t":1,"t":2})"}) {
    CAPTURE(body);
    CHECK(added(body, R"({"t":0.7})") == body);
  }
  CHECK(added(R"({"t":1})", R"({"t":0.7,"u":2})") == R"({"u":2,"t":1})");
}

TEST_CASE("a field of the same name further in is another", "[add_fields]") {
  CHECK(added(R"({"o":{"t":1},"l":[{"t":2}],"s":"\"t\":3"})", R"({"t":0.7})") ==
        R"({"t":0.7,"o":{"t":1},"l":[{"t":2}],"s":"\"t\":3"})");
}

TEST_CASE("what the caller wrote stays byte for byte", "[add_fields]") {
  const std::string rest =
      " \"z\" : 1.0e+2,\t\"big\":123456789012345678901234567890 , \"\\u0061\": \"\\ud83d\\ude00 "
      "\\/ "
      "\xC3\xA9\",\n\n \"messages\" : [ ] } \n";
  CHECK(added("\r\n{" + rest, R"({"t":1})") == "\r\n{\"t\":1," + rest);
}

TEST_CASE("an empty object gets fields without a comma behind them", "[add_fields]") {
  CHECK(added("{ }", R"({"t":1,"u":2})") == R"({"t":1,"u":2 })");
  CHECK(added("{}", "{}") == "{}");
}

TEST_CASE("the limit of the answer is one field under three names", "[add_fields]") {
  const auto name = GENERATE("max_tokens", "max_completion_tokens", "max_output_tokens");
  const std::string body = std::string("{\"") + name + "\":5}";
  CHECK(added(body, R"({"max_tokens":4096})") == body);
  CHECK(added(body, R"({"max_completion_tokens":4096})") == body);
}

TEST_CASE("the limit of the answer has the name that its path knows", "[add_fields]") {
  CHECK(added("{}", R"({"max_tokens":7})") == R"({"max_tokens":7})");
  CHECK(added("{}", R"({"max_tokens":7,"top_p":1})", "/v1/responses") ==
        R"({"max_output_tokens":7,"top_p":1})");
  CHECK(name_on("/v1/responses?x=1", "max_completion_tokens") == "max_output_tokens");
  CHECK(name_on("/v1/responses", "model") == "model");
}

TEST_CASE("names of fields are quoted when they are put in", "[add_fields]") {
  CHECK(added("{}", R"({"a\"b":1})") == R"({"a\"b":1})");
  CHECK(gives(read_members(R"({"a\"b":1})").value(), "a\"b"));
}

TEST_CASE("only an object has fields", "[add_fields]") {
  CHECK(read_fields(R"({"a": [1, 2]})").value() == std::vector<Field>{{"a", "[1, 2]"}});
  CHECK_FALSE(read_fields("[1]"));
}

// Changing a body's few bytes and no others.
#include <catch2/catch.hpp>
#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/splice.hpp>

using namespace llmroute::wire;

namespace {

RequestView view_of(std::string_view body) { return read_request(body).value(); }

std::string with_model(std::string_view body, std::string_view model) {
  return splice(body, {set_model(view_of(body), model)});
}

std::string with_stream(std::string_view body) {
  const RequestView view = view_of(body);
  return splice(body, {set_stream(view)});
}

}  // namespace

TEST_CASE("a spliced body keeps every other byte", "[splice]") {
  const std::string head =
      "\r\n{ \"z\" : 1.0e+2,\t\"a\":0.10, \"big\":123456789012345678901234567890, \"model\" :  ";
  const std::string tail =
      "  ,\"\\u0061\": \"\\ud83d\\ude00 \\/ \xC3\xA9\",\n\n \"unknown\":{\"model\":\"x\"} , "
      "\"stream\":   ";
  const std::string end = "  \n} \n";
  const std::string body = head + "\"old\"" + tail + "false" + end;
  const RequestView view = view_of(body);
  CHECK(splice(body, {}) == body);
  CHECK(splice(body, {set_model(view, "new")}) == head + "\"new\"" + tail + "false" + end);
  CHECK(splice(body, {set_stream(view)}) == head + "\"old\"" + tail + "true" + end);
  const std::string both = head + "\"a much longer name\"" + tail + "true" + end;
  CHECK(splice(body, {set_model(view, "a much longer name"), set_stream(view)}) == both);
  CHECK(splice(body, {set_stream(view), set_model(view, "a much longer name")}) == both);
}

TEST_CASE("a field that is not there is put in front", "[splice]") {
  CHECK(with_model(R"({"a":1})", "m") == R"({"model":"m","a":1})");
  CHECK(with_stream(R"( { "a":1})") == R"( {"stream":true, "a":1})");
  const std::string body = R"({"a":1})";
  const RequestView view = view_of(body);
  CHECK(splice(body, {set_include_usage(view)}) ==
        R"({"stream_options":{"include_usage":true},"a":1})");
}

TEST_CASE("an empty object gets a field without a comma", "[splice]") {
  CHECK(with_model("{}", "m") == R"({"model":"m"})");
  CHECK(with_stream("{ }") == R"({"stream":true })");
  CHECK(splice("{}", {set_include_usage(view_of("{}"), UsageReports::each_chunk)}) ==
        R"({"stream_options":{"include_usage":true,"continuous_usage_stats":true}})");
  CHECK(splice("{}", {set_include_usage(view_of("{}"))}) ==
        R"({"stream_options":{"include_usage":true}})");
}

TEST_CASE("stream options that are there are completed", "[splice]") {
  const auto asked = [](const std::string& options, UsageReports reports) {
    const std::string body = R"({"a":1, "stream_options" : )" + options + R"( ,"b":2})";
    const RequestView view = view_of(body);
    const std::string out = splice(body, {complete_stream_options(body, view, reports)});
    CHECK(view_of(out).include_usage);
    const std::size_t begin = out.find(" : ") + 3;
    CHECK(out.substr(0, begin) == body.substr(0, begin));
    const std::size_t end = out.rfind(R"( ,"b":2})");
    REQUIRE(end != std::string::npos);
    return out.substr(begin, end - begin);
  };
  const auto [own, at_end, each_chunk] = GENERATE(table<std::string, std::string, std::string>({
      {"null", R"({"include_usage":true})",
       R"({"include_usage":true,"continuous_usage_stats":true})"},
      {"{ }", R"({"include_usage":true })",
       R"({"include_usage":true,"continuous_usage_stats":true })"},
      {R"({"include_usage":"no"})", R"({"include_usage":true})",
       R"({"continuous_usage_stats":true,"include_usage":true})"},
      {R"({ "x":{"include_usage":false} })",
       R"({"include_usage":true, "x":{"include_usage":false} })",
       R"({"include_usage":true,"continuous_usage_stats":true, "x":{"include_usage":false} })"},
      {R"({"continuous_usage_stats":false,"include\u005fusage":false})",
       R"({"continuous_usage_stats":false,"include\u005fusage":true})",
       R"({"continuous_usage_stats":false,"include\u005fusage":true})"},
  }));
  CHECK(asked(own, UsageReports::at_end) == at_end);
  CHECK(asked(own, UsageReports::each_chunk) == each_chunk);
}

TEST_CASE("several new fields keep their order", "[splice]") {
  const std::string body = R"({"a":1})";
  const RequestView view = view_of(body);
  const std::string out =
      splice(body, {set_model(view, "m"), set_stream(view), set_include_usage(view)});
  CHECK(out == R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"a":1})");
  const RequestView again = view_of(out);
  CHECK(again.model == "m");
  CHECK(again.stream);
  CHECK(again.include_usage);
}

TEST_CASE("a model's name is quoted when it is put in", "[splice]") {
  const std::string name = "a\"b\\c\n\x01/\xC3\xA9";
  CHECK(view_of(with_model(R"({"model":"x"})", name)).model == name);
  CHECK(view_of(with_model(R"({"k":[]})", name)).model == name);
  CHECK(with_model(R"({"model":""})", "") == R"({"model":""})");
  CHECK(with_model(R"({"model":"a\u0062c","x":1})", "abc") == R"({"model":"abc","x":1})");
}

TEST_CASE("a field that is null takes its value in place", "[splice]") {
  for (const std::string body : {R"({"model":null,"a":1})", R"({"a":1,"model": null })"}) {
    CAPTURE(body);
    const std::string out = with_model(body, "m");
    CHECK(view_of(out).model == "m");
  }
  CHECK(view_of(with_stream(R"({"stream":null})")).stream);
}

TEST_CASE("edits at one offset are made in their order", "[splice]") {
  CHECK(splice("abcd", {{2, 0, "1"}, {2, 0, "2"}, {2, 1, "3"}, {0, 1, ""}, {4, 0, "!"}}) ==
        "b123d!");
  CHECK(splice("", {{0, 0, "x"}}) == "x");
}

// What routing reads from a request's body, valid or hostile.
#include <catch2/catch.hpp>
#include <llmroute/wire/request_view.hpp>

using namespace llmroute;
using wire::read_request;
using wire::RequestView;
using wire::Span;

namespace {

std::string_view text_at(std::string_view body, Span span) {
  return body.substr(span.offset, span.length);
}

/// The field a body is refused for, with the message.
Error refused(std::string_view body) {
  const Result<RequestView> view = read_request(body);
  CAPTURE(body);
  if (view) FAIL("is taken: " << body);
  CHECK(view.error().code == ErrorCode::invalid_argument);
  return view.error();
}

}  // namespace

TEST_CASE("a request's fields are read with their places", "[request]") {
  const std::string body =
      R"({ "messages":[], "model" : "tiny" , "stream": true ,"stream_options":)"
      R"({"include_usage" : true } ,"n":3, "max_tokens":7, "user":"u1", "x":{"model":1}})";
  const Result<RequestView> view = read_request(body);
  REQUIRE(view);
  CHECK(view->model == "tiny");
  CHECK(view->has_model);
  CHECK(view->user == "u1");
  CHECK(view->stream);
  CHECK(view->include_usage);
  CHECK(view->choices == 3);
  CHECK(view->max_tokens == 7);
  CHECK(text_at(body, view->model_at) == "\"tiny\"");
  CHECK(text_at(body, view->stream_at) == "true");
  CHECK(text_at(body, view->stream_options_at) == R"({"include_usage" : true })");
  CHECK(view->object_open == 1);
  CHECK_FALSE(view->empty_object);
}

TEST_CASE("a request that says little has the defaults", "[request]") {
  SECTION("an empty object") {
    const Result<RequestView> view = read_request(" { } ");
    REQUIRE(view);
    CHECK(view->empty_object);
    CHECK(view->object_open == 2);
    CHECK_FALSE(view->has_model);
    CHECK_FALSE(view->stream);
    CHECK(view->choices == 1);
    CHECK(view->max_tokens == 0);
    CHECK(view->model_at.length == 0);
    CHECK(view->stream_at.length == 0);
    CHECK(view->stream_options_at.length == 0);
  }
  SECTION("nested fields of the same names") {
    const Result<RequestView> view = read_request(
        R"({"metadata":{"model":"a","stream":true,"n":9},"messages":[{"model":"b","user":"c"}]})");
    REQUIRE(view);
    CHECK_FALSE(view->has_model);
    CHECK_FALSE(view->stream);
    CHECK(view->choices == 1);
    CHECK(view->user.empty());
  }
  SECTION("numbers and user of another type are the node's to judge") {
    const Result<RequestView> view = read_request(
        R"({"n":"two","max_tokens":1.5,"max_completion_tokens":[],"user":7,"model":"m"})");
    REQUIRE(view);
    CHECK(view->choices == 1);
    CHECK(view->max_tokens == 0);
    CHECK(view->user.empty());
  }
  SECTION("stream false, and stream_options without usage") {
    const Result<RequestView> view =
        read_request(R"({"stream":false,"stream_options":{"include_usage":false}})");
    REQUIRE(view);
    CHECK_FALSE(view->stream);
    CHECK(view->stream_at.length == 5);
    CHECK_FALSE(view->include_usage);
    CHECK(view->stream_options_at.length > 0);
    CHECK_FALSE(read_request(R"({"stream_options":{"include_usage":1}})").value().include_usage);
    CHECK_FALSE(read_request(R"({"stream_options":{}})").value().include_usage);
  }
  SECTION("numbers are brought into range") {
    CHECK(read_request(R"({"n":0})").value().choices == 1);
    CHECK(read_request(R"({"n":-5})").value().choices == 1);
    CHECK(read_request(R"({"n":100000})").value().choices == 128);
    CHECK(read_request(R"({"max_tokens":-1})").value().max_tokens == 0);
    CHECK(read_request(R"({"max_tokens":99999999999})").value().max_tokens == 4294967295u);
    CHECK(read_request(R"({"max_completion_tokens":12})").value().max_tokens == 12);
  }
}

TEST_CASE("escapes in a request's model and keys are resolved", "[request]") {
  const std::string body = R"({"mo\u0064el":"a\/b\u00e9\ud83d\ude00\"","user":"\n"})";
  const Result<RequestView> view = read_request(body);
  REQUIRE(view);
  CHECK(view->model == "a/b\xC3\xA9\xF0\x9F\x98\x80\"");
  CHECK(view->user == "\n");
  CHECK(text_at(body, view->model_at) == R"("a\/b\u00e9\ud83d\ude00\"")");
  CHECK(refused(R"({"model":"a","mo\u0064el":"b"})").param == "model");
}

TEST_CASE("an empty model is a model given", "[request]") {
  const Result<RequestView> view = read_request(R"({"model":""})");
  REQUIRE(view);
  CHECK(view->has_model);
  CHECK(view->model.empty());
  CHECK(view->model_at.length == 2);
}

TEST_CASE("a model's name may be so long and no longer", "[request]") {
  const auto named = [](const std::string& name) { return R"({"model":")" + name + R"("})"; };
  CHECK(read_request(named(std::string(256, 'x')))->model.size() == 256);
  const Error error = refused(named(std::string(257, 'x')));
  CHECK(error.param == "model");
  CHECK(error.message == R"("model": is longer than 256 bytes)");
  std::string escaped;
  for (int i = 0; i < 128; ++i) escaped += "\\u00e9";  // two bytes each
  CHECK(read_request(named(escaped))->model.size() == 256);
  CHECK(refused(named(escaped + "a")).param == "model");
}

TEST_CASE("stream options are read whole", "[request]") {
  const auto options = [](const std::string& json) {
    return R"({"stream_options": )" + json + R"( ,"model":"m"})";
  };
  for (const std::string json : {"null", "{}", "{ }", R"({"a":{"include_usage":true},"b":"}"})",
                                 R"({"include_usage":{"x":[1]},"c":7})"}) {
    CAPTURE(json);
    const std::string body = options(json);
    const Result<RequestView> view = read_request(body);
    REQUIRE(view);
    CHECK(text_at(body, view->stream_options_at) == json);
    CHECK_FALSE(view->include_usage);
    CHECK(view->model == "m");
  }
  CHECK(read_request(options(R"({"x":[],"include\u005fusage":true,"y":1})"))->include_usage);
  CHECK(refused(options(R"({"include_usage":true,"x":1,"include_usage":false})")).param ==
        "stream_options");
}

TEST_CASE("a request's field of the wrong type is refused by its name", "[request]") {
  for (const std::string value : {"1", "true", "{}", "[]", "[\"tiny\"]"}) {
    CAPTURE(value);
    CHECK(refused("{\"model\":" + value + "}").param == "model");
  }
  for (const std::string value : {"1", "\"true\"", "{}", "[]", "yes"}) {
    CAPTURE(value);
    CHECK(refused("{\"stream\":" + value + "}").param == "stream");
  }
  for (const std::string value : {"1", "\"x\"", "true", "[]"}) {
    CAPTURE(value);
    CHECK(refused("{\"stream_options\":" + value + "}").param == "stream_options");
  }
  CHECK(refused(R"({"model":7})").message.find("\"model\"") != std::string::npos);
}

TEST_CASE("a request's field given twice is refused", "[request]") {
  for (const std::string field : {"model", "user"}) {
    CHECK(refused("{\"" + field + "\":\"a\",\"x\":1,\"" + field + "\":\"a\"}").param == field);
  }
  CHECK(refused(R"({"stream":true,"stream":false})").param == "stream");
  CHECK(refused(R"({"stream_options":{},"stream_options":{}})").param == "stream_options");
  CHECK(refused(R"({"n":1,"n":2})").param == "n");
  CHECK(refused(R"({"max_tokens":1,"max_tokens":2})").param == "max_tokens");
  CHECK(refused(R"({"stream":null,"stream":true})").param == "stream");
}

TEST_CASE("a body that is no JSON object is refused", "[request]") {
  for (const std::string body : {"",
                                 " ",
                                 "null",
                                 "1",
                                 "\"{}\"",
                                 "[]",
                                 "[{\"model\":\"a\"}]",
                                 "{",
                                 "{\"model\"",
                                 "{\"model\":",
                                 "{\"model\":\"a\"",
                                 "{\"model\":\"a",
                                 "{\"model\" \"a\"}",
                                 "{\"model\":\"a\",}",
                                 "{model:\"a\"}",
                                 "{\"model\":\"a\"} x",
                                 "{}{}",
                                 "{\"a\":1}]",
                                 "{\"model\":\"\\x\"}",
                                 "{\"a\":1 \"b\":2}",
                                 "\xEF\xBB",
                                 "nonsense",
                                 "}"}) {
    CAPTURE(body);
    CHECK_FALSE(refused(body).message.empty());
  }
}

TEST_CASE("a deep body does not hurt", "[request]") {
  std::string deep = "{\"x\":";
  for (int i = 0; i < 100000; ++i) deep += '[';
  CHECK_FALSE(read_request(deep));
  for (int i = 0; i < 100000; ++i) deep += ']';
  static_cast<void>(read_request(deep + "}"));
}

TEST_CASE("a null field of a request is one that is not given", "[request]") {
  const std::string body = R"({"model":null,"stream":null,"stream_options":null,)"
                           R"("n":null,"max_tokens":null,"user":null})";
  const Result<RequestView> view = read_request(body);
  REQUIRE(view);
  CHECK_FALSE(view->has_model);
  CHECK_FALSE(view->stream);
  CHECK(view->choices == 1);
}

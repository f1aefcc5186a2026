// The strict look at a body before any node sees it.
#include <catch2/catch.hpp>
#include <llmroute/wire/check_json.hpp>

using namespace llmroute;
using wire::check_json;

namespace {

constexpr std::string_view chat = "/v1/chat/completions";

/// The field at fault; "ok": none, "": the body as a whole.
std::string fault(std::string_view body, std::string_view path = chat) {
  const Result<void> checked = check_json(body, path);
  if (checked) return "ok";
  CHECK(checked.error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(checked.error().message.empty());
  CHECK(checked.error().message.find("secret") == std::string::npos);
  return checked.error().param;
}

std::string with(const std::string& field) { return R"({"messages":[{}],)" + field + "}"; }

std::string message(std::string_view body) { return check_json(body, chat).error().message; }

}  // namespace

TEST_CASE("a body that makes sense is let through", "[check_json]") {
  CHECK(fault(R"({"model":"m","messages":[{"role":"user","content":"\u00e9"}],"stream":true,)"
              R"("stream_options":{"include_usage":true},"max_tokens":5,"temperature":0.1,)"
              R"("n":1,"user":"u","unknown":[1,{"model":7}]})") == "ok");
  CHECK(fault(R"({"messages":[]})") == "ok");
  CHECK(fault(R"({"messages":[{}],"model":null,"stream":null,"n":null,"stream_options":null})") ==
        "ok");
}

TEST_CASE("each path has the field it makes no sense without", "[check_json]") {
  CHECK(fault("{}") == "messages");
  CHECK(fault(R"({"prompt":"x"})") == "messages");
  CHECK(fault("{}", "/v1/completions") == "prompt");
  CHECK(fault(R"({"prompt":"x"})", "/v1/completions") == "ok");
  CHECK(fault(R"({"prompt":[1,2]})", "/v1/completions") == "ok");
  CHECK(fault(R"({"prompt":7})", "/v1/completions") == "prompt");
  CHECK(fault("{}", "/v1/embeddings") == "input");
  CHECK(fault(R"({"input":["a","b"]})", "/v1/embeddings") == "ok");
  CHECK(fault("{}", "/v1/other") == "ok");
  CHECK(fault(R"({"messages":null})") == "messages");
}

TEST_CASE("a field of the wrong type is named", "[check_json]") {
  const auto [text, field] = GENERATE(table<std::string, std::string>({
      {R"("model":["secret"])", "model"},
      {R"("stream":"secret")", "stream"},
      {R"("stream_options":[])", "stream_options"},
      {R"("max_tokens":"secret")", "max_tokens"},
      {R"("max_completion_tokens":{})", "max_completion_tokens"},
      {R"("temperature":"secret")", "temperature"},
      {R"("n":true)", "n"},
      {R"("user":7)", "user"},
      {R"("input":false)", "input"},
      {R"("model":"a","model":"a")", "model"},
      {R"("messages":[])", "messages"},
      {R"("n":1,"\u006e":2)", "n"},
  }));
  CAPTURE(text);
  CHECK(fault(with(text)) == field);
  CHECK(fault(R"({"messages":"secret"})") == "messages");
  CHECK(fault(R"({"messages":["secret"]})") == "messages");
}

TEST_CASE("broken JSON is refused in words", "[check_json]") {
  for (const std::string body :
       {"", " ", "{", "[]", "7", "null", "{\"messages\":[]} x", "{}{}", "{\"messages\":[],}",
        "{\"a\":01,\"messages\":[]}", "{\"a\":\"\xFF\"}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud83d\"}", "{\"a\":nul}", "{\"a\":1e999}", "{'a':1}"}) {
    CAPTURE(body);
    CHECK(fault(body).empty());
  }
  CHECK(message("") == "the request body is empty");
  CHECK(message("{\"a\":\"\xFF\"}") == "the request body is not valid UTF-8");
  CHECK(message("{\"a\":\"\\x\"}") == "the request body is not valid JSON: a string is broken");
  CHECK(message("{\"a\":01}") == "the request body is not valid JSON: a number is broken");
  CHECK(message("[]") == "the request body must be a JSON object");
  CHECK(message("{") == "the request body is not valid JSON");
}

TEST_CASE("a body may be nested 1,024 levels deep and no more", "[check_json]") {
  const auto nested = [](std::size_t depth) {
    return with("\"x\":" + std::string(depth, '[') + std::string(depth, ']'));
  };
  CHECK(fault(nested(1000)) == "ok");
  CHECK(message(nested(1100)) == "the request body is nested deeper than 1,024 levels");
  CHECK(fault(nested(100000)).empty());
}

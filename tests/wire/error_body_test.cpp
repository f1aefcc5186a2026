// Error bodies of nodes read, and those for callers written.
#include <catch2/catch.hpp>
#include <llmroute/wire/error_body.hpp>

#include "wire/captures.hpp"

using namespace llmroute;
using Kind = wire::ErrorBody::Kind;
using test::capture;
using wire::error_json;
using wire::ErrorBody;
using wire::read_error_body;
using wire::redacted;

TEST_CASE("error bodies of real engines are understood", "[error_body]") {
  struct Row {
    std::string name;
    int status;
    Kind kind;
    std::string message;
    std::string type;
    std::string code;
  };
  const Row row = GENERATE(
      Row{"vllm_error_400_context", 400, Kind::context_length,
          "This model's maximum context length is 1024 tokens.", "BadRequestError", "400"},
      Row{"vllm_error_400_missing_messages", 400, Kind::other, "1 validation error:\n",
          "Bad Request", "400"},
      Row{"vllm_error_404_model", 404, Kind::model_not_found, "The model `nope` does not exist.",
          "NotFoundError", "404"},
      Row{"vllm_error_404_path", 404, Kind::other, "Not Found", "", ""},
      Row{"llamacpp_error_400_context", 400, Kind::context_length, "request (45020 tokens) exceeds",
          "exceed_context_size_error", "400"},
      Row{"llamacpp_error_400_missing_messages", 400, Kind::other, "'messages' is required",
          "invalid_request_error", "400"},
      Row{"llamacpp_error_404_path", 404, Kind::other, "File Not Found", "not_found_error", "404"});
  CAPTURE(row.name);
  const ErrorBody said = read_error_body(row.status, capture(row.name));
  CHECK(said.kind == row.kind);
  CHECK(said.message.substr(0, row.message.size()) == row.message);
  CHECK(said.type == row.type);
  CHECK(said.code == row.code);
}

TEST_CASE("error bodies in the shapes of OpenAI and proxies are understood", "[error_body]") {
  struct Row {
    int status;
    std::string body;
    Kind kind;
    std::string message;
  };
  const Row row = GENERATE(
      Row{404, R"({"error":{"message":"gone","type":"x","param":null,"code":"model_not_found"}})",
          Kind::model_not_found, "gone"},
      Row{400, R"({"error":{"message":"long","code":"context_length_exceeded"}})",
          Kind::context_length, "long"},
      Row{400, R"({"error":{"message":"The prompt exceeds the Available Context Size"}})",
          Kind::context_length, "The prompt exceeds the Available Context Size"},
      Row{400, R"({"error":{"message":"no","type":null,"code":"content_filter"}})",
          Kind::content_filter, "no"},
      Row{400, R"({"error":{"message":"no","code":"content_policy_violation"}})",
          Kind::content_filter, "no"},
      Row{429, R"({"error":{"message":"pay","type":"insufficient_quota"}})", Kind::quota, "pay"},
      Row{402, R"({"error":{"message":"pay"}})", Kind::quota, "pay"},
      Row{401, R"({"error":{"message":"key","code":"invalid_api_key"}})", Kind::auth, "key"},
      Row{403, R"({"detail":"Forbidden"})", Kind::auth, "Forbidden"},
      Row{500, R"({"error":{"message":"maximum context length"}})", Kind::other,
          "maximum context length"},
      Row{503, R"({"error":"Loading model"})", Kind::other, "Loading model"},
      Row{404, R"({"error":"model \"x\" not found, try pulling it first"})", Kind::model_not_found,
          "model \"x\" not found, try pulling it first"},
      Row{400, R"({"object":"error","message":"flat","type":"x","code":40001})", Kind::other,
          "flat"},
      Row{422, R"({"detail":[{"loc":["body"],"msg":"x"}]})", Kind::other, ""},
      Row{400, R"({"error":{"message":{"deep":1},"code":[1],"type":true}})", Kind::other, ""},
      Row{400, R"({"error":null})", Kind::other, ""}, Row{400, R"({"error":7})", Kind::other, "7"});
  CAPTURE(row.status, row.body);
  const ErrorBody said = read_error_body(row.status, row.body);
  CHECK(said.kind == row.kind);
  CHECK(said.message == row.message);
}

TEST_CASE("a body that is no error object has no message", "[error_body]") {
  for (const std::string body : {"", "<html><h1>502 Bad Gateway</h1></html>", "upstream error",
                                 "[]", "null", "\"x\"", "{", "{\"error\"", "{\"error\":{\"mess"}) {
    CAPTURE(body);
    const ErrorBody said = read_error_body(502, body);
    CHECK(said.kind == Kind::other);
    CHECK(said.message.empty());
    CHECK(read_error_body(401, body).kind == Kind::auth);
    CHECK(read_error_body(404, body).kind == Kind::other);
  }
}

TEST_CASE("an error for callers is JSON whatever is in it", "[error_body]") {
  CHECK(error_json("m", "t", "p", "c") ==
        R"({"error":{"message":"m","type":"t","param":"p","code":"c"}})");
  CHECK(error_json("", "", "", "") ==
        R"({"error":{"message":"","type":"","param":null,"code":null}})");
  const std::string hostile = "a\"},\"x\":\n\x01\\";
  const std::string body = error_json(hostile, hostile, hostile, hostile);
  const ErrorBody said = read_error_body(400, body);
  CHECK(said.message == hostile);
  CHECK(said.type == hostile);
  CHECK(said.code == hostile);
}

TEST_CASE("an Error is written with its row of the table and no key", "[error_body]") {
  const Error error{.code = ErrorCode::invalid_argument,
                    .message = "Incorrect API key provided: sk-proj-abcdefgh12345678",
                    .param = "model"};
  CHECK(error_json(error) ==
        R"({"error":{"message":"Incorrect API key provided: [redacted]",)"
        R"("type":"invalid_request_error","param":"model","code":"invalid_request"}})");
}

TEST_CASE("key-shaped tokens are redacted", "[error_body]") {
  const auto [text, clean] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"no key here", "no key here"},
      {"sk-abcdefgh12345678", "[redacted]"},
      {"key=sk-abcdefgh12345678,", "key=[redacted],"},
      {R"(key:\nsk-abcdefgh12345678")", R"(key:\n[redacted]")"},
      {R"(key \u201csk-abcdefgh12345678\u201d)", R"(key \u201c[redacted]\u201d)"},
      {"'sk-abcd********5678' is wrong", "'[redacted]' is wrong"},
      {"Authorization: Bearer abcdefgh12345678", "Authorization: [redacted]"},
      {"Bearer eyJhbGci.eyJzdWIi.c2ln_-A and more", "[redacted] and more"},
      {"Bearer ab/cd+efgh12==; x", "[redacted]; x"},
      {"Bearer sk-abcdefgh12345678 x", "[redacted] x"},
      {"ml-abcdefgh12345678", "[redacted]"},
      {"sk-abcdefgh1 sk-abcdefgh2", "[redacted] [redacted]"},
      {"a task-abcdefgh12345678", "a task-abcdefgh12345678"},
      {"sk-short", "sk-short"},
      {"Bearer token", "Bearer token"},
      {"Bearer ", "Bearer "},
  }));
  CHECK(redacted(text) == clean);
}

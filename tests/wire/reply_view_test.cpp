// What plain answers say beside the answer.
#include <catch2/catch.hpp>
#include <llmroute/wire/reply_view.hpp>

#include "wire/captures.hpp"

using namespace llmroute;
using test::capture;
using wire::read_reply;
using wire::ReplyView;

TEST_CASE("plain answers of real engines are understood", "[reply]") {
  const auto [name, usage] = GENERATE(table<std::string, Usage>({
      {"vllm_chat", Usage{29, 8, 37, 0}},
      {"llamacpp_chat", Usage{31, 8, 39, 0}},
      {"llamacpp_error_404_model", Usage{21, 256, 277, 0}},
  }));
  CAPTURE(name);
  const std::string body = capture(name);
  const ReplyView view = read_reply(body);
  CHECK(view.json_ok);
  CHECK_FALSE(view.is_error);
  CHECK(body.substr(view.model_offset, view.model_length) == "\"tiny\"");
  CHECK(view.usage == usage);
}

TEST_CASE("every recorded answer with status 200 is a whole object", "[reply]") {
  for (const std::string name : {"vllm_chat_continue_final_message", "llamacpp_chat_prefill",
                                 "vllm_models", "llamacpp_models"}) {
    CAPTURE(name);
    CHECK(read_reply(capture(name)).json_ok);
    CHECK_FALSE(read_reply(capture(name)).is_error);
  }
}

TEST_CASE("an answer with an error in it is no answer", "[reply]") {
  for (const std::string name : {"llamacpp_error_404_path", "vllm_error_404_model"}) {
    CHECK(read_reply(capture(name)).is_error);
  }
  CHECK(read_reply(R"({"error":"busy"})").is_error);
  CHECK_FALSE(read_reply(R"({"id":"x","error":null,"output":[]})").is_error);
  for (const char* response : {R"({"object":"response","error":{"code":"server_error"}})",
                               R"({"error":{"code":"server_error"},"object":"response"})"}) {
    CHECK_FALSE(read_reply(response).is_error);
    CHECK(read_reply(response).json_ok);
  }
  CHECK(read_reply(R"({"object":"error","error":{}})").is_error);
  CHECK(read_reply(R"({"object":7,"error":{}})").is_error);
}

TEST_CASE("an answer that is cut or no JSON is not taken for whole", "[reply]") {
  const std::string body = capture("vllm_chat");
  const std::size_t end = body.find_last_of('}');
  for (std::size_t length = 0; length <= end; length += 7) {
    if (read_reply(body.substr(0, length)).json_ok) FAIL_CHECK("taken at " << length);
  }
  CHECK_FALSE(read_reply(body.substr(0, end)).json_ok);
  CHECK_FALSE(read_reply("<html>502 Bad Gateway</html>").json_ok);
  CHECK_FALSE(read_reply("").json_ok);
  CHECK_FALSE(read_reply("[]").json_ok);
}

TEST_CASE("an embeddings answer has usage and a model", "[reply]") {
  const std::string body =
      R"({"object":"list","data":[{"embedding":[0.1,-2e-3],"index":0}],"model":"e",)"
      R"("usage":{"prompt_tokens":4,"total_tokens":4}})";
  const ReplyView view = read_reply(body);
  CHECK(view.json_ok);
  CHECK(view.usage == Usage{4, 0, 4, 0});
  CHECK(body.substr(view.model_offset, view.model_length) == "\"e\"");
}

TEST_CASE("usage without a total has the sum of what it says", "[reply]") {
  const auto [json, usage] = GENERATE(table<std::string, Usage>({
      {R"({"prompt_tokens":4,"completion_tokens":3})", Usage{4, 3, 7, 0}},
      {R"({"prompt_tokens":4,"completion_tokens":3,"total_tokens":null})", Usage{4, 3, 7, 0}},
      // A message counts beside its input what a cache gave or took.
      {R"({"cache_read_input_tokens":10,"input_tokens":4,"cache_creation_input_tokens":5,)"
       R"("output_tokens":3})",
       Usage{19, 3, 22, 10}},
      {R"({"input_tokens":4,"cache_read_input_tokens":null,"output_tokens":3})", Usage{4, 3, 7, 0}},
      // A response and a translated message have it in there.
      {R"({"input_tokens":9,"input_tokens_details":{"cached_tokens":5},"output_tokens":3})",
       Usage{9, 3, 12, 5}},
      {R"({"prompt_tokens":9,"cache_read_input_tokens":5,"completion_tokens":3})",
       Usage{9, 3, 12, 5}},
      {R"({"input_tokens":9,"cache_read_input_tokens":5,"output_tokens":3,"total_tokens":12})",
       Usage{9, 3, 12, 5}},
      // No node has counted so many, nor fewer than none.
      {R"({"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807})",
       Usage{std::int64_t{1} << 48, std::int64_t{1} << 48, std::int64_t{1} << 49, 0}},
      {R"({"prompt_tokens":-9,"completion_tokens":3})", Usage{0, 3, 3, 0}},
  }));
  CAPTURE(json);
  CHECK(read_reply(R"({"usage":)" + json + "}").usage == usage);
}

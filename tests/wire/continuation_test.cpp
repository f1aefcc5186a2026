#include <catch2/catch.hpp>
#include <llmroute/wire/continuation.hpp>

using namespace llmroute;
using namespace llmroute::wire;

namespace {
const std::string plain_chat =
    R"({"model":"m", "messages":[{"role":"user","content":"hi"}] ,"max_tokens": 9 })";

std::string chat_with(const std::string& field) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + field + "}";
}

Continuation of(const std::string& body) { return read_continuation(body); }
}  // namespace

TEST_CASE("a plain chat may be put again in every way", "[wire][continuation]") {
  const Continuation continuation = of(plain_chat);
  CHECK(continuation.by_ids);
  CHECK(continuation.by_prefill);
  CHECK(plain_chat.substr(continuation.messages_at.offset, continuation.messages_at.length) ==
        R"([{"role":"user","content":"hi"}])");
  REQUIRE(continuation.limits_at.size() == 1);
  CHECK(plain_chat.substr(continuation.limits_at[0].offset, continuation.limits_at[0].length) ==
        "9");
}

TEST_CASE("what rules token ids out", "[wire][continuation]") {
  const auto field = GENERATE(
      R"("tools":[{"type":"function"}])", R"("functions":[{}])", R"("logprobs":true)",
      R"("logprobs":0)", R"("top_logprobs":2)", R"("stop":"x")", R"("stop":["x"])", R"("n":2)",
      R"("frequency_penalty":0.5)", R"("presence_penalty":-1)", R"("repetition_penalty":1.1)",
      R"("min_tokens":1)", R"("bad_words":["x"])", R"("seed":1,"temperature":0.1)", R"("seed":1)",
      R"("response_format":{"type":"json_schema"})", R"("guided_regex":"a*")", R"("unheard_of":1)",
      R"("stream_options":{"continuous_usage_stats":true})", R"("prompt":[1,2])");
  CAPTURE(field);
  CHECK_FALSE(of(chat_with(field)).by_ids);
}

TEST_CASE("messages that are not all text rule token ids out", "[wire][continuation]") {
  CHECK_FALSE(of(R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})").by_ids);
  CHECK_FALSE(of(R"({"messages":[{"role":"assistant","tool_calls":[{}]}]})").by_ids);
  CHECK_FALSE(of(R"({"messages":7})").by_ids);
}

TEST_CASE("what leaves token ids possible", "[wire][continuation]") {
  const auto field = GENERATE(
      R"("temperature":0.7,"top_p":0.9,"top_k":4)", R"("stop":null)", R"("stop":[])",
      R"("tools":[])", R"("tools":[{}],"tool_choice":"none")", R"("logprobs":false)", R"("n":1)",
      R"("frequency_penalty":0.0)", R"("repetition_penalty":1.0)", R"("seed":1,"temperature":0)",
      R"("response_format":{"type":"text"})", R"("stream_options":{"include_usage":true})",
      R"("metadata":{"a":"b"})", R"("logit_bias":{"5":1})");
  CAPTURE(field);
  CHECK(of(chat_with(field)).by_ids);
}

TEST_CASE("what rules a beginning of the answer out", "[wire][continuation]") {
  const auto body = GENERATE(std::string(R"({"messages":[{"role":"assistant","content":"x"}]})"),
                             std::string(R"({"prompt":"x"})"), chat_with(R"("n":2)"),
                             chat_with(R"("tools":[{}])"),
                             chat_with(R"("response_format":{"type":"json_object"})"),
                             chat_with(R"("continue_final_message":true)"), std::string("nonsense"),
                             std::string(R"({"messages":[{"role":"user")"));
  CAPTURE(body);
  CHECK_FALSE(of(body).by_prefill);
}

TEST_CASE("a request behind token ids", "[wire][continuation]") {
  const std::vector<std::uint32_t> prompt{1, 2};
  const std::vector<std::uint32_t> answer{3};
  const Continuation continuation =
      of(chat_with(R"("temperature": 0.5 ,"logit_bias":{"5": 1},"n":1)"));
  CHECK(
      continue_ids(continuation, "a \"b\"", prompt, answer, 17) ==
      R"({"model":"a \"b\"","prompt":[1,2,3],"max_tokens":17,"stream":true,"stream_options":{"include_usage":true},"return_token_ids":true,"temperature":0.5,"logit_bias":{"5": 1}})");
  CHECK(continue_ids({}, "m", prompt, {}, 1).find("[1,2]") != std::string::npos);
}

TEST_CASE("a request that begins the answer", "[wire][continuation]") {
  const Result<RequestView> view = read_request(plain_chat);
  REQUIRE(view);
  CHECK(
      splice(plain_chat, continue_text(*view, of(plain_chat), "so \"far\"", 4)) ==
      R"({"continue_final_message":true,"add_generation_prompt":false,"model":"m", "messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"so \"far\""}] ,"max_tokens": 4 })");
  CHECK(
      splice(plain_chat, continue_text(*view, of(plain_chat), "x", 0)).find(R"("max_tokens": 9)") !=
      std::string::npos);
}

TEST_CASE("asking for token ids", "[wire][continuation]") {
  const Result<RequestView> view = read_request(plain_chat);
  CHECK(splice(plain_chat, {set_return_token_ids(*view)}).substr(0, 37) ==
        R"({"return_token_ids":true,"model":"m",)");
  const Result<RequestView> empty = read_request("{}");
  CHECK(splice("{}", {set_return_token_ids(*empty)}) == R"({"return_token_ids":true})");
}

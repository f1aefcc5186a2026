#include <catch2/catch.hpp>
#include <llmroute/wire/delta.hpp>

using namespace llmroute;
using namespace llmroute::wire;

TEST_CASE("the parts of a chunk", "[wire][delta]") {
  SECTION("text of a chat, unescaped") {
    const auto deltas = read_deltas(
        R"({"choices":[{"index":1,"delta":{"role":"assistant","content":"a\n\u00e9"},"logprobs":null,"finish_reason":"stop","token_ids":null}]})");
    REQUIRE(deltas.size() == 1);
    CHECK(deltas[0].index == 1);
    CHECK(deltas[0].content == "a\né");
    CHECK(deltas[0].finish_reason == "stop");
    CHECK_FALSE(deltas[0].opaque);
    CHECK_FALSE(deltas[0].annotated);
  }
  SECTION("of a completion") {
    CHECK(read_deltas(R"({"choices":[{"index":0,"text":"hi","logprobs":{"x":1}}]})")[0].annotated);
    CHECK(read_deltas(R"({"choices":[{"text":"hi"}]})")[0].content == "hi");
  }
  SECTION("reasoning under either name, once") {
    CHECK(read_deltas(R"({"choices":[{"delta":{"reasoning":"r","reasoning_content":"r"}}]})")[0]
              .reasoning == "r");
    CHECK(read_deltas(R"({"choices":[{"delta":{"reasoning":"r","reasoning_content":null}}]})")[0]
              .reasoning == "r");
    CHECK(read_deltas(R"({"choices":[{"delta":{"refusal":"no"}}]})")[0].refusal == "no");
  }
  SECTION("what is not text") {
    CHECK(read_deltas(R"({"choices":[{"delta":{"tool_calls":[{"index":0}]}}]})")[0].opaque);
    CHECK(read_deltas(R"({"choices":[{"delta":{"function_call":{"name":"f"}}}]})")[0].opaque);
    CHECK(read_deltas(R"({"choices":[{"delta":{"audio":{"id":"x"}}}]})")[0].opaque);
    CHECK_FALSE(read_deltas(R"({"choices":[{"delta":{"tool_calls":[],"audio":null}}]})")[0].opaque);
  }
  SECTION("one for each choice; none of what cannot be read") {
    CHECK(read_deltas(R"({"choices":[{"index":0},{"index":1}]})").size() == 2);
    CHECK(read_deltas(R"({"choices":[]})").empty());
    CHECK(read_deltas(R"({"choices":[7]})").empty());
    CHECK(read_deltas(R"({"x":1})").empty());
    CHECK(read_deltas("{nonsense").empty());
  }
}

TEST_CASE("who a chunk says it is", "[wire][delta]") {
  const std::string data = R"({"id" : "a\"b" ,"created": 12 , "model":"m","choices":[]})";
  const Identity identity = read_identity(data);
  CHECK(identity.id == R"("a\"b")");
  CHECK(identity.created == "12");
  CHECK(identity.model == R"("m")");
  CHECK(with_identity(data, {R"("x")", "7", R"("y")"}) ==
        R"({"id" : "x" ,"created": 7 , "model":"y","choices":[]})");
  CHECK(with_identity(data, {}) == data);
  CHECK(with_identity("[]", identity) == "[]");
  CHECK(read_identity("7").id.empty());
}

TEST_CASE("a chunk from parts reads as these parts", "[wire][delta]") {
  const Identity identity{R"("i")", "3", R"("m")"};
  const auto object = GENERATE("chat.completion.chunk", "text_completion");
  Delta delta{.index = 2, .content = "x \"y\"\n😀", .finish_reason = "stop"};
  const std::string data = write_chunk(identity, object, delta);
  CAPTURE(data);
  CHECK(read_identity(data).id == identity.id);
  const auto deltas = read_deltas(data);
  REQUIRE(deltas.size() == 1);
  CHECK(deltas[0].index == 2);
  CHECK(deltas[0].content == delta.content);
  CHECK(deltas[0].finish_reason == "stop");
}

TEST_CASE("reasoning and refusal are written beside the text", "[wire][delta]") {
  const std::string data =
      write_chunk({}, "chat.completion.chunk", {.content = "c", .reasoning = "r", .refusal = "no"});
  CHECK(
      data ==
      R"({"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"reasoning_content":"r","content":"c","refusal":"no"},"logprobs":null,"finish_reason":null}]})");
}

TEST_CASE("a chunk that tells usage", "[wire][delta]") {
  CHECK(
      write_usage_chunk({R"("i")", "", ""}, "text_completion", {3, 4, 7, 0}) ==
      R"({"object":"text_completion","id":"i","choices":[],"usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4}})");
}

TEST_CASE("token ids", "[wire][delta]") {
  CHECK(read_token_ids("[1, 22,333]") == std::vector<std::uint32_t>{1, 22, 333});
  CHECK(read_token_ids("[]").empty());
  CHECK(read_token_ids("[99999999999]").empty());
}

// A shape reads what read_chunk reads, whatever comes after whatever.
#include <catch2/catch.hpp>
#include <llmroute/wire/chunk_shape.hpp>
#include <random>

#include "wire/captures.hpp"

using namespace llmroute;
using namespace llmroute::wire;

namespace {

void check_same(ChunkShape& shape, const std::string& data) {
  CAPTURE(data);
  const ChunkView quick = shape.read(data);
  const ChunkView slow = read_chunk(data);
  CHECK(quick.json_ok == slow.json_ok);
  CHECK(quick.is_error == slow.is_error);
  CHECK(quick.has_content == slow.has_content);
  CHECK(quick.usage_only == slow.usage_only);
  CHECK(quick.has_usage == slow.has_usage);
  CHECK(quick.seen_choices == slow.seen_choices);
  CHECK(quick.finished_choices == slow.finished_choices);
  CHECK(quick.model_offset == slow.model_offset);
  CHECK(quick.model_length == slow.model_length);
  CHECK(quick.text == slow.text);
  CHECK(quick.text_only == slow.text_only);
  CHECK(quick.token_ids_at.offset == slow.token_ids_at.offset);
  CHECK(quick.token_ids_at.length == slow.token_ids_at.length);
  CHECK(quick.usage == slow.usage);
}

std::string chunk(const std::string& text, const std::string& model = "m") {
  return R"({"id":"c","model":")" + model + R"(","choices":[{"index":0,"delta":{"content":")" +
         text + R"("},"finish_reason":null}]})";
}
std::string model_behind(const std::string& text) {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}],"model":"m"})";
}

}  // namespace

TEST_CASE("a shape reads texts of all kinds", "[wire][chunk]") {
  ChunkShape shape;
  for (const std::string text :
       {"Hello", " world", "", "x", "\\n", "a\\\"b", "\\u00e9", "h\xC3\xA9", "\xC3", "\xFF\xFE",
        "a\"b", "a\nb", "\"},\"finish_reason\":\"stop\"}]}",
        "long enough to be some words of text"}) {
    check_same(shape, chunk(text));
  }
}

TEST_CASE("a shape knows when it changes", "[wire][chunk]") {
  ChunkShape shape;
  const std::vector<std::string> chunks = {
      chunk("a"),
      chunk("bc"),
      chunk("bc", "other-model"),
      model_behind("text"),
      model_behind("longer text"),
      model_behind("t"),
      R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]})",
      R"({"choices":[{"index":0,"delta":{"content":"xy"},"finish_reason":"stop"}]})",
      R"({"choices":[{"index":1,"delta":{"content":"x"}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"x"},"token_ids":[1]}]})",
      R"({"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}})",
      R"({"choices":[{"index":0,"delta":{"content":"x","reasoning":"r"}}]})",
      R"({"choices":[],"usage":{"prompt_tokens":1}})",
      R"({"error":{"message":"x"}})",
      "{nonsense",
      "",
      chunk("a")};
  for (const std::string& first : chunks) {
    for (const std::string& second : chunks) {
      check_same(shape, first);
      check_same(shape, second);
    }
  }
}

TEST_CASE("a shape reads the streams of real engines", "[wire][chunk]") {
  const auto name = GENERATE("vllm_chat_stream", "llamacpp_chat_stream", "vllm_completions_stream",
                             "vllm_chat_stream_token_ids", "llamacpp_completions_stream");
  ChunkShape shape;
  for (const std::string& data : test::captured_events(name)) check_same(shape, data);
}

TEST_CASE("a shape is not fooled by random bytes", "[wire][chunk]") {
  ChunkShape shape;
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string data = i % 3 == 0 ? model_behind("some text") : chunk("some text");
    check_same(shape, data);
    const std::size_t edits = random() % 3;
    for (std::size_t e = 0; e < edits; ++e) {
      const std::size_t at = random() % data.size();
      constexpr std::string_view bytes = "\"\\{}[],: ax\n\xC3\x80";
      if (random() % 2 == 0) {
        data[at] = bytes[random() % bytes.size()];
      } else {
        data.insert(at, 1, bytes[random() % bytes.size()]);
      }
    }
    check_same(shape, data);
  }
}

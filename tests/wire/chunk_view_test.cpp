// What streamed chunks mean: those of real engines, and shapes that others send.
#include <catch2/catch.hpp>
#include <llmroute/wire/chunk_view.hpp>

#include "wire/captures.hpp"

using namespace llmroute;
using test::captured_events;
using wire::append_text;
using wire::ChunkView;
using wire::read_chunk;

namespace {

std::string text_of(const ChunkView& view) {
  std::string out;
  append_text(out, view);
  return out;
}

std::string delta(const std::string& fields) {
  return R"({"choices":[{"index":0,"delta":{)" + fields + R"(},"finish_reason":null}]})";
}

/// A whole recorded stream, summed up.
struct Summary {
  std::string text{};
  int events = 0;
  int with_content = 0;
  int finished = 0;
  int usage_only = 0;
  bool done = false;
  Usage usage{};
};

Summary sum_up(const std::string& name) {
  Summary out;
  for (const std::string& data : captured_events(name)) {
    CAPTURE(data);
    if (data == "[DONE]") {
      out.done = true;
      continue;
    }
    const ChunkView view = read_chunk(data);
    CHECK(view.json_ok);
    CHECK_FALSE(view.is_error);
    CHECK(data.substr(view.model_offset, view.model_length) == "\"tiny\"");
    ++out.events;
    out.text += text_of(view);
    if (view.has_content) ++out.with_content;
    if (view.finished_choices == 1) ++out.finished;
    if (view.usage_only) ++out.usage_only;
    if (view.has_usage) out.usage = view.usage;
    CHECK(view.seen_choices == (view.usage_only ? 0u : 1u));
  }
  return out;
}

}  // namespace

TEST_CASE("a chat stream of vLLM is understood", "[chunk]") {
  const Summary sum = sum_up("vllm_chat_stream");
  CHECK(sum.events == 10);
  CHECK(sum.text == "7P@P@P@");
  CHECK(sum.with_content == 7);
  CHECK(sum.finished == 1);
  CHECK(sum.usage_only == 1);
  CHECK(sum.done);
  CHECK(sum.usage == Usage{29, 8, 37, 0});
  const ChunkView first = read_chunk(captured_events("vllm_chat_stream").at(0));
  CHECK(first.seen_choices == 1);
  CHECK_FALSE(first.has_content);
  CHECK_FALSE(first.has_usage);
}

TEST_CASE("a vLLM stream with token ids has usage in every chunk", "[chunk]") {
  const std::vector<std::string> events = captured_events("vllm_chat_stream_token_ids");
  const ChunkView first = read_chunk(events.at(0));
  CHECK(first.has_usage);
  CHECK_FALSE(first.usage_only);
  CHECK(first.usage.total_tokens == 29);
  CHECK(sum_up("vllm_chat_stream_token_ids").usage_only == 1);
}

TEST_CASE("a completions stream of vLLM is understood", "[chunk]") {
  const Summary sum = sum_up("vllm_completions_stream");
  CHECK(sum.events == 6);
  CHECK(sum.with_content == 1);
  CHECK(sum.text.back() == '8');
  CHECK(sum.finished == 1);
  CHECK(sum.done);
}

TEST_CASE("a completions stream of vLLM for a prompt of tokens is understood", "[chunk]") {
  const Summary sum = sum_up("vllm_completions_token_prompt");
  CHECK(sum.with_content > 0);
  CHECK(sum.text.substr(0, 3) == "P@P");
  CHECK(sum.finished == 1);
  CHECK(sum.done);
}

TEST_CASE("a chat stream of llama.cpp is understood", "[chunk]") {
  for (const std::string name : {"llamacpp_chat_stream", "llamacpp_chat_stream_token_ids"}) {
    const Summary sum = sum_up(name);
    CHECK(sum.events == 4);
    CHECK(sum.with_content == 2);
    CHECK(sum.finished == 1);
    CHECK(sum.usage_only == 1);
    CHECK(sum.done);
    CHECK(sum.usage == Usage{31, 8, 39, 30});
    CHECK(sum.text.substr(sum.text.size() - 4) == " vaB");
  }
}

TEST_CASE("a completions stream of llama.cpp is understood", "[chunk]") {
  const Summary sum = sum_up("llamacpp_completions_stream");
  CHECK(sum.events == 5);
  CHECK(sum.with_content == 4);
  CHECK(sum.finished == 1);
  CHECK(sum.usage_only == 0);
  CHECK(sum.usage == Usage{7, 6, 13, 2});
  CHECK(sum.text.front() == '\'');
}

TEST_CASE("what a caller waits for is content", "[chunk]") {
  const auto [fields, content] = GENERATE(table<std::string, bool>({
      {R"("content":"x")", true},
      {R"("role":"assistant","content":"x")", true},
      {R"("reasoning_content":"hm")", true},
      {R"("reasoning":"hm","content":"")", true},
      {R"("refusal":"no")", true},
      {R"("tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}])", true},
      {R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}],"content":null)", true},
      {R"("function_call":{"name":"f"})", true},
      {R"("audio":{"data":"AA=="})", true},
      {R"("role":"assistant")", false},
      {R"("role":"assistant","content":"")", false},
      {R"("content":null,"reasoning_content":null,"refusal":null)", false},
      {R"("content":7)", false},
      {R"("tool_calls":[])", false},
      {R"("tool_calls":null,"function_call":null,"audio":null)", false},
      {R"("tool_calls":"x")", false},
      {R"("unknown":"x")", false},
      {"", false},
  }));
  CAPTURE(fields);
  const ChunkView view = read_chunk(delta(fields));
  CHECK(view.json_ok);
  CHECK(view.has_content == content);
  CHECK(view.seen_choices == 1);
  CHECK(view.finished_choices == 0);
}

TEST_CASE("a chunk's text is that of the first choice, unescaped", "[chunk]") {
  CHECK(text_of(read_chunk(delta(R"("content":"a\n\"b\" \ud83d\ude00")"))) ==
        "a\n\"b\" \xF0\x9F\x98\x80");
  CHECK(text_of(read_chunk(delta(R"("content" : "x" , "refusal":"y")"))) == "x");
  CHECK(text_of(read_chunk(delta(R"("reasoning_content":"hm")"))).empty());
  CHECK(text_of(read_chunk(delta(R"("content":"]}\"\\")"))) == "]}\"\\");
  const std::string data =
      R"({"choices":[{"index":1,"delta":{"content":"b"}},{"delta":{"content":"a"},"index":0}]})";
  const ChunkView view = read_chunk(data);
  CHECK(view.text == "a");
  CHECK(view.text.data() >= data.data());
  CHECK(view.text.data() < data.data() + data.size());
}

TEST_CASE("a chunk with several choices marks each", "[chunk]") {
  const ChunkView view = read_chunk(
      R"({"choices":[{"index":2,"delta":{},"finish_reason":"stop"},{"index":0,"delta":{}},)"
      R"({"index":200,"delta":{},"finish_reason":"length"},{"index":5,"finish_reason":""}]})");
  CHECK(view.json_ok);
  CHECK(view.seen_choices == (1u << 0 | 1u << 2 | 1u << 5 | std::uint64_t{1} << 63));
  CHECK(view.finished_choices == (1u << 2 | std::uint64_t{1} << 63));
  CHECK_FALSE(view.has_content);
  SECTION("an index that makes no sense is the first") {
    CHECK(read_chunk(R"({"choices":[{"index":-1}]})").seen_choices == 1);
    CHECK(read_chunk(R"({"choices":[{"index":"x"}]})").seen_choices == 1);
    CHECK(read_chunk(R"({"choices":[{}]})").seen_choices == 1);
  }
}

TEST_CASE("a chunk can finish without content", "[chunk]") {
  const ChunkView view =
      read_chunk(R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})");
  CHECK(view.finished_choices == 1);
  CHECK_FALSE(view.has_content);
  CHECK_FALSE(view.usage_only);
}

TEST_CASE("a chunk with nothing but usage says so", "[chunk]") {
  CHECK(read_chunk(R"({"choices":[],"usage":{"total_tokens":3}})").usage_only);
  CHECK(read_chunk(R"({"usage":{"total_tokens":3}})").usage_only);
  CHECK_FALSE(read_chunk(R"({"choices":[],"usage":null})").usage_only);
  CHECK_FALSE(read_chunk(R"({"choices":[{}],"usage":{"total_tokens":3}})").usage_only);
  SECTION("counts that are no integers are zero") {
    const ChunkView view =
        read_chunk(R"({"usage":{"prompt_tokens":"7","completion_tokens":2,"total_tokens":null,)"
                   R"("prompt_tokens_details":{"cached_tokens":1.5,"x":1},"x":{}}})");
    CHECK(view.json_ok);
    CHECK(view.usage == Usage{0, 2, 2, 0});
    CHECK(read_chunk(R"({"usage":{"prompt_tokens_details":null,"total_tokens":3}})")
              .usage.total_tokens == 3);
    CHECK(read_chunk(R"({"usage":7})").has_usage == false);
  }
}

TEST_CASE("a chunk that is an error says so", "[chunk]") {
  CHECK(read_chunk(R"({"error":{"message":"out of memory","code":500}})").is_error);
  CHECK(read_chunk(R"({"error":"out of memory"})").is_error);
  CHECK(read_chunk(R"({"choices":[],"error":{}})").is_error);
  CHECK_FALSE(read_chunk(R"({"choices":[],"error":null})").is_error);
}

TEST_CASE("a chunk's model is found with its quotes", "[chunk]") {
  const std::string data = R"({"id":"x" , "model" : "a\"b" , "choices":[]})";
  const ChunkView view = read_chunk(data);
  CHECK(data.substr(view.model_offset, view.model_length) == R"("a\"b")");
  CHECK(read_chunk(R"({"model":""})").model_length == 0);
  CHECK(read_chunk(R"({"model":null})").model_length == 0);
  CHECK(read_chunk(R"({"model":7})").model_length == 0);
  CHECK(read_chunk(R"({"choices":[{"model":"x"}]})").model_length == 0);
}

TEST_CASE("a chunk's usage can be taken out with one comma", "[chunk]") {
  const auto without = [](const std::string& data) {
    const ChunkView view = read_chunk(data);
    CHECK(view.json_ok);
    CHECK(view.usage.total_tokens == 3);
    std::string out = data;
    return out.erase(view.usage_at.offset, view.usage_at.length);
  };
  CHECK(without(R"({"choices":[],"usage":{"total_tokens":3,"d":{"x":[1]}}})") ==
        R"({"choices":[]})");
  CHECK(without(R"({"a":1 , "usage" : {"total_tokens":3} ,"b":"}"})") == R"({"a":1  ,"b":"}"})");
  CHECK(without(R"({"usage":{"total_tokens":3},"choices":[]})") == R"({"choices":[]})");
  CHECK(without(R"({ "usage":{"total_tokens":3} })") == R"({ })");
  CHECK(read_chunk(R"({"usage":null})").usage_at.length == 0);
}

TEST_CASE("garbage is no chunk", "[chunk]") {
  for (const std::string data :
       {"", " ", "null", "7", "[]", "\"x\"", "[{}]", "<html>", "{", "{\"choices\":[",
        "{\"choices\":[{\"delta\":{\"content\":\"x", "{\"choices\":[7]}", "{} {}", "{}x",
        "{\"a\" 1}", "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]", "[DONE]"}) {
    CAPTURE(data);
    CHECK_FALSE(read_chunk(data).json_ok);
  }
  CHECK(read_chunk("{}").json_ok);
  CHECK(read_chunk(" {\n} \n").json_ok);
  CHECK(read_chunk(R"({"choices":null})").json_ok);
  CHECK(read_chunk(R"({"choices":{"a":[1]},"model":"m"})").model_length == 3);
}

TEST_CASE("a chunk cut anywhere is no chunk", "[chunk]") {
  const std::string data = captured_events("vllm_chat_stream").at(1);
  for (std::size_t length = 0; length < data.size(); ++length) {
    if (read_chunk(data.substr(0, length)).json_ok) FAIL_CHECK("taken at " << length);
  }
}

// What the events of a streamed /v1/messages mean.
#include <catch2/catch.hpp>
#include <llmroute/wire/message_event.hpp>
#include <string>

using namespace llmroute;
using wire::ChunkView;
using wire::read_message_event;

namespace {

ChunkView event(const std::string& type, const std::string& rest = "") {
  return read_message_event(R"({"type":")" + type + '"' + rest + "}");
}

}  // namespace

TEST_CASE("an event of a streamed message", "[wire][messages]") {
  SECTION("is content when it is a delta of a block") {
    const ChunkView view =
        event("content_block_delta", R"(,"index":0,"delta":{"type":"text_delta","text":"x"})");
    CHECK(view.json_ok);
    CHECK(view.has_content);
    CHECK(view.finished_choices == 0);
    CHECK_FALSE(view.text_only);
  }
  SECTION("is neither content nor end when it frames the others") {
    for (const char* type :
         {"ping", "content_block_start", "content_block_stop", "message_delta"}) {
      const ChunkView view = event(type);
      CHECK(view.json_ok);
      CHECK_FALSE(view.has_content);
      CHECK(view.finished_choices == 0);
      CHECK_FALSE(view.is_error);
    }
  }
  SECTION("tells what was used in two halves") {
    const ChunkView begin = event(
        "message_start",
        R"(,"message":{"id":"x","usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}})");
    CHECK(begin.has_usage);
    CHECK(begin.usage == Usage{13, 1, 14, 4});
    const ChunkView end = event(
        "message_delta", R"(,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5})");
    CHECK(end.has_usage);
    CHECK(end.usage == Usage{0, 5, 5, 0});
  }
  SECTION("shows the model where the message begins") {
    const std::string data =
        R"({"type":"message_start","message":{"id":"x","model" : "m1","content":[]}})";
    const ChunkView view = read_message_event(data);
    CHECK(data.substr(view.model_offset, view.model_length) == "\"m1\"");
    CHECK(event("message_start", R"(,"message":{"model":""})").model_length == 0);
    CHECK(event("message_start", R"(,"message":{"model":null})").model_length == 0);
  }
  SECTION("is the end, or a failure, when it says so") {
    CHECK(event("message_stop").finished_choices == 1);
    CHECK(event("error", R"(,"error":{"type":"overloaded_error","message":"x"})").is_error);
  }
  SECTION("is nothing when it cannot be read") {
    CHECK_FALSE(read_message_event("[]").json_ok);
    CHECK_FALSE(read_message_event(R"({"type":7})").json_ok);
    CHECK_FALSE(read_message_event(R"({"type":"message_start","message":{"usage")").json_ok);
    CHECK_FALSE(read_message_event(R"({"type":"ping"} {})").json_ok);
    CHECK(read_message_event(R"({"type":"ping","usage":7,"message":null})").json_ok);
  }
}

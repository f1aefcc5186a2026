// What the events of a streamed /v1/responses mean.
#include <catch2/catch.hpp>
#include <llmroute/wire/response_event.hpp>
#include <string>

using namespace llmroute;
using wire::ChunkView;
using wire::read_response_event;

namespace {

ChunkView response_event(const std::string& type, const std::string& rest = "") {
  return read_response_event(R"({"type":")" + type + '"' + rest + "}");
}

}  // namespace

TEST_CASE("an event of a streamed response", "[wire][responses]") {
  SECTION("is content when it is a delta of whatever") {
    for (const char* type : {"response.output_text.delta", "response.function_call_arguments.delta",
                             "response.reasoning_text.delta", "response.refusal.delta"}) {
      const ChunkView view = response_event(type, R"(,"delta":"x")");
      CHECK(view.json_ok);
      CHECK(view.has_content);
      CHECK(view.finished_choices == 0);
      CHECK_FALSE(view.text_only);
    }
  }
  SECTION("is neither content nor end when it frames the others") {
    for (const char* type : {"response.created", "response.output_item.added",
                             "response.output_text.done", "response.output_item.done"}) {
      const ChunkView view = response_event(type);
      CHECK(view.json_ok);
      CHECK_FALSE(view.has_content);
      CHECK(view.finished_choices == 0);
      CHECK_FALSE(view.is_error);
    }
  }
  SECTION("is the end, with what was used, when the response is over") {
    for (const char* type : {"response.completed", "response.incomplete"}) {
      const ChunkView view = response_event(
          type, R"(,"response":{"id":"r","usage":{"input_tokens":5,"output_tokens":7,)"
                R"("total_tokens":12,"input_tokens_details":{"cached_tokens":3}}})");
      CHECK(view.json_ok);
      CHECK(view.finished_choices == 1);
      CHECK(view.has_usage);
      CHECK(view.usage == Usage{5, 7, 12, 3});
    }
  }
  SECTION("is a failure when it says so") {
    CHECK(response_event("response.failed", R"(,"response":{"usage":null})").is_error);
    CHECK(response_event("error", R"(,"message":"overloaded")").is_error);
  }
  SECTION("says where the model of its response stands") {
    const std::string data =
        R"({"type":"response.created","model":"x","response":{"id":"r", "model" : "big" ,"usage":null}})";
    const ChunkView view = read_response_event(data);
    CHECK(view.json_ok);
    CHECK(data.substr(view.model_offset, view.model_length) == "\"big\"");
    for (const char* none : {R"(,"response":{"model":null})", R"(,"response":{"model":""})",
                             R"(,"response":{})", R"(,"model":"x")"}) {
      CHECK(response_event("response.completed", none).model_length == 0);
      CHECK(response_event("response.completed", none).json_ok);
    }
  }
  SECTION("is nothing when it cannot be read") {
    CHECK_FALSE(read_response_event("[]").json_ok);
    CHECK_FALSE(read_response_event(R"({"type":7})").json_ok);
    CHECK_FALSE(read_response_event(R"({"type":"response.created","response":{"usage")").json_ok);
    CHECK_FALSE(read_response_event(R"({"type":"response.created"} {})").json_ok);
  }
}

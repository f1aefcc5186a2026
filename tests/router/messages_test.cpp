// Streams of /v1/messages: typed events with an end of their own, and no [DONE].
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view message_request = R"({"model":"m","max_tokens":9,"messages":[]})";

std::string message_event(const std::string& type, const std::string& rest = "") {
  return "event: " + type + "\ndata: {\"type\":\"" + type + '"' + rest + "}\n\n";
}

std::vector<std::string> whole_message() {
  return {
      message_event(
          "message_start",
          R"(,"message":{"usage":{"input_tokens":7,"cache_read_input_tokens":2,"output_tokens":1}})"),
      message_event("content_block_start", R"(,"index":0)"),
      message_event("ping"),
      message_event("content_block_delta", R"(,"delta":{"type":"text_delta","text":"Hel"})"),
      message_event("content_block_delta", R"(,"delta":{"type":"text_delta","text":"lo"})"),
      message_event("content_block_stop"),
      message_event("message_delta",
                    R"(,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5})"),
      message_event("message_stop")};
}

Request messages() { return {.path = "/v1/messages?beta=true", .body = message_request}; }

}  // namespace

TEST_CASE("a streamed message", "[router][messages]") {
  ScriptedUpstream node(event_stream(whole_message()));
  Router router(config_of(node));
  Result<Stream> stream = router.stream(messages());
  REQUIRE(stream);
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  std::string sent;
  for (const std::string& event : whole_message()) sent += event;
  CHECK(all.raw == sent);
  CHECK(stream->reply().usage == Usage{9, 5, 14, 2});
  CHECK(node.requests()[0].target == "/v1/messages?beta=true");
}

TEST_CASE("a message that breaks before its first delta is asked of another node",
          "[router][messages]") {
  std::vector<std::string> begun = whole_message();
  begun.resize(3);
  ScriptedUpstream bad(event_stream(begun));
  ScriptedUpstream good(event_stream(whole_message()));
  Router router(config_of(bad, good));
  Result<Stream> stream = router.stream(messages());
  REQUIRE(stream);
  CHECK(collect(*stream).data.size() == whole_message().size());
  CHECK(stream->reply().node == "n2");
}

TEST_CASE("a message that breaks off after its first delta ends with the typed error",
          "[router][messages]") {
  const auto last = GENERATE(std::string(), message_event("error", R"(,"error":{"message":"x"})"));
  std::vector<std::string> cut = whole_message();
  cut.resize(4);
  if (!last.empty()) cut.push_back(last);
  ScriptedUpstream bad(event_stream(cut));
  ScriptedUpstream good(event_stream(whole_message()));
  Router router(config_of(bad, good));
  Result<Stream> stream = router.stream(messages());
  REQUIRE(stream);
  const Collected all = collect(*stream);
  REQUIRE(all.error);
  CHECK(all.error->code == ErrorCode::stream_interrupted);
  CHECK(good.request_count() == 0);
}

// Streams of /v1/responses: typed events with an end of their own, and no [DONE].
#include "router/router_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

constexpr std::string_view response_request = R"({"model":"m","input":"hi"})";

std::string response_event(const std::string& type, const std::string& rest = "") {
  return "event: " + type + "\ndata: {\"type\":\"" + type + '"' + rest + "}\n\n";
}

std::vector<std::string> whole_response() {
  return {response_event("response.created", R"(,"response":{"usage":null})"),
          response_event("response.output_item.added"),
          response_event("response.output_text.delta", R"(,"delta":"Hel")"),
          response_event("response.output_text.delta", R"(,"delta":"lo")"),
          response_event("response.output_text.done"),
          response_event(
              "response.completed",
              R"(,"response":{"usage":{"input_tokens":2,"output_tokens":3,"total_tokens":5}})")};
}

Request responses() { return {.path = "/v1/responses", .body = response_request}; }

}  // namespace

TEST_CASE("a streamed response", "[router][responses]") {
  ScriptedUpstream node(event_stream(whole_response()));
  Config config = config_of(node);
  config.nodes[0].provider = Provider::vllm;  // asked for usage and token ids, if it were a chat
  Router router(config);
  Result<Stream> stream = router.stream(responses());
  REQUIRE(stream);
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  std::string sent;
  for (const std::string& event : whole_response()) sent += event;
  CHECK(all.raw == sent);
  CHECK(stream->reply().usage == Usage{2, 3, 5, 0});
  CHECK(node.requests()[0].body == R"({"stream":true,"model":"m","input":"hi"})");
}

TEST_CASE("a response that breaks before its first delta is asked of another node",
          "[router][responses]") {
  std::vector<std::string> begun = whole_response();
  begun.resize(2);
  ScriptedUpstream bad(event_stream(begun));
  ScriptedUpstream good(event_stream(whole_response()));
  Router router(config_of(bad, good));
  Result<Stream> stream = router.stream(responses());
  REQUIRE(stream);
  CHECK(collect(*stream).data.size() == whole_response().size());
  CHECK(stream->reply().node == "n2");
}

TEST_CASE("a response that breaks off after its first delta ends with the typed error",
          "[router][responses]") {
  const auto last = GENERATE(std::string(), response_event("response.failed"));
  std::vector<std::string> cut = whole_response();
  cut.resize(3);
  if (!last.empty()) cut.push_back(last);
  ScriptedUpstream bad(event_stream(cut));
  ScriptedUpstream good(event_stream(whole_response()));
  Router router(config_of(bad, good));
  Result<Stream> stream = router.stream(responses());
  REQUIRE(stream);
  const Collected all = collect(*stream);
  REQUIRE(all.error);
  CHECK(all.error->code == ErrorCode::stream_interrupted);
  CHECK(all.data.size() == 3);
  CHECK(good.request_count() == 0);
}

// Streams to pull from.
#include <atomic>
#include <thread>

#include "capi/capi_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

llmroute_status open(llmroute_router* router, OwnedStream& stream, OwnedError& error) {
  return llmroute_stream_open(router, hello.data(), hello.size(), nullptr, &stream, &error);
}

}  // namespace

TEST_CASE("a stream, event by event", "[capi][stream]") {
  ScriptedUpstream node(event_stream({chat_chunk("Hel"), chat_chunk("lo"), chat_finish(), done()}));
  const OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  REQUIRE(open(router, stream, error) == LLMROUTE_OK);
  const llmroute_reply* reply = llmroute_stream_reply(stream);
  CHECK(text(llmroute_reply_node, reply) == "n1");
  CHECK(llmroute_reply_http_status(reply) == 200);
  std::string raw;
  std::string said;
  const llmroute_event* event = nullptr;
  while (llmroute_stream_next(stream, &event, &error) == LLMROUTE_OK && event != nullptr) {
    raw.append(event->raw, event->raw_len);
    OwnedText piece;
    size_t len = 0;
    REQUIRE(llmroute_chunk_text(event->data, event->data_len, &piece, &len) == LLMROUTE_OK);
    said.append(piece, len);
  }
  CHECK(error == nullptr);
  CHECK(said == "Hello");
  CHECK(raw.find("data: ") == 0);
  CHECK(llmroute_reply_first_content_us(reply) >= 0);
  CHECK(llmroute_stream_next(stream, &event, nullptr) == LLMROUTE_OK);
  CHECK(event == nullptr);
  llmroute_reply_free(const_cast<llmroute_reply*>(reply));  // a part of the stream: nothing happens
  CHECK(text(llmroute_reply_node, reply) == "n1");
}

TEST_CASE("a stream that does not begin", "[capi][stream]") {
  ScriptedUpstream node(answer(400, "{}"));
  const OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  CHECK(open(router, stream, error) == LLMROUTE_NODE_REJECTED);
  CHECK(stream == nullptr);
}

TEST_CASE("a stream that is cut keeps what it said", "[capi][stream]") {
  ScriptedUpstream node(event_stream({chat_chunk("Hel")}, Ending::open).reset());
  const OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  REQUIRE(open(router, stream, error) == LLMROUTE_OK);
  const llmroute_event* event = nullptr;
  REQUIRE(llmroute_stream_next(stream, &event, &error) == LLMROUTE_OK);
  for (int again = 0; again < 2; ++again) {
    CHECK(llmroute_stream_next(stream, &event, &error) == LLMROUTE_STREAM_INTERRUPTED);
    CHECK(event == nullptr);
    CHECK(text(llmroute_error_partial, static_cast<const llmroute_error*>(error)) == "Hel");
  }
}

TEST_CASE("a comment in a stream", "[capi][stream]") {
  const std::string ping = ": still here\n\n";
  ScriptedUpstream node(event_stream({chat_chunk("x"), ping, chat_finish(), done()}));
  const OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  REQUIRE(open(router, stream, error) == LLMROUTE_OK);
  const llmroute_event* event = nullptr;
  REQUIRE(llmroute_stream_next(stream, &event, nullptr) == LLMROUTE_OK);
  REQUIRE(llmroute_stream_next(stream, &event, nullptr) == LLMROUTE_OK);
  REQUIRE(event != nullptr);
  CHECK(std::string(event->raw, event->raw_len) == ping);
  CHECK(event->data_len == 0);
  REQUIRE(event->data != nullptr);
  CHECK(std::string(event->data).empty());
}

TEST_CASE("a stream that is interrupted", "[capi][stream]") {
  ScriptedUpstream node(event_stream({chat_chunk("x")}, Ending::open).hang());
  const OwnedRouter router = router_for(node);
  bool leave = false;
  auto options = sized<llmroute_call_options>();
  options.interrupted = [](void* said) -> std::int32_t {
    return *static_cast<bool*>(said) ? 7 : 0;
  };
  options.interrupted_user_data = &leave;
  OwnedStream stream;
  OwnedError error;
  REQUIRE(llmroute_stream_open(router, hello.data(), hello.size(), &options, &stream, nullptr) ==
          LLMROUTE_OK);
  const llmroute_event* event = nullptr;
  REQUIRE(llmroute_stream_next(stream, &event, nullptr) == LLMROUTE_OK);
  leave = true;
  CHECK(llmroute_stream_next(stream, &event, &error) == LLMROUTE_CANCELLED);
  CHECK(text(llmroute_error_partial, static_cast<const llmroute_error*>(error)) == "x");
  CHECK(node.wait_for_gone(1));
}

TEST_CASE("freeing a stream leaves its node", "[capi][stream]") {
  ScriptedUpstream node(event_stream({chat_chunk("x")}, Ending::open).hang());
  OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  REQUIRE(open(router, stream, error) == LLMROUTE_OK);
  router.reset();  // the stream does without
  const llmroute_event* event = nullptr;
  CHECK(llmroute_stream_next(stream, &event, &error) == LLMROUTE_OK);
  stream.reset();
  CHECK(node.wait_for_gone(1));
}

TEST_CASE("one thread at a time reads a stream", "[capi][stream]") {
  const Gate gate;
  ScriptedUpstream node(event_stream({chat_chunk("x")}, Ending::open)
                            .wait(gate)
                            .send(chunk(chat_finish()))
                            .send(chunk(done()))
                            .send(chunk("")));
  const OwnedRouter router = router_for(node);
  OwnedStream stream;
  OwnedError error;
  REQUIRE(open(router, stream, error) == LLMROUTE_OK);
  const llmroute_event* event = nullptr;
  REQUIRE(llmroute_stream_next(stream, &event, &error) == LLMROUTE_OK);
  std::atomic<bool> refused{false};
  const auto read = [&] {
    const llmroute_event* seen = nullptr;
    while (!refused) {
      const llmroute_status status = llmroute_stream_next(stream, &seen, nullptr);
      if (status != LLMROUTE_INVALID_ARGUMENT) return;
      refused = true;
      gate.open();  // the other one waits until now
    }
  };
  std::thread one(read);
  std::thread other(read);
  one.join();
  other.join();
  CHECK(refused);
}

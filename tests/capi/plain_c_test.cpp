#include "capi/plain_c.h"
#include "capi/capi_fixture.hpp"

using namespace llmroute::test;

TEST_CASE("a caller in C99", "[capi]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    const bool stream = request.body.find("\"stream\":true") != std::string::npos;
    return stream ? event_stream({chat_chunk("x"), chat_finish(), done()})
                  : answer(200, chat_completion("x"));
  });
  CHECK(plain_c_calls(node.url().c_str()) == 3);
}

/// What crosses the gateway, and what never does.
#include <catch2/catch.hpp>

#include "gateway/fields.hpp"

using gateway::passes_to_caller;
using gateway::passes_to_node;

TEST_CASE("a caller's fields stay here but for tracing", "[gateway][fields]") {
  CHECK(passes_to_node("traceparent", "00-ab-cd-01"));
  CHECK(passes_to_node("TraceState", "a=b"));
  CHECK(passes_to_node("Anthropic-Version", "2023-06-01"));
  for (const char* name :
       {"Authorization", "Cookie", "X-Admin-Key", "Host", "Connection", "TE", "Transfer-Encoding",
        "Content-Length", "Upgrade", "X-Forwarded-For", ""}) {
    CAPTURE(name);
    CHECK_FALSE(passes_to_node(name, "x"));
  }
  CHECK_FALSE(passes_to_node("traceparent", "a\r\nX-Admin-Key: x"));
}

TEST_CASE("a node's fields stay here but for those a caller can use", "[gateway][fields]") {
  for (const char* name : {"Content-Type", "openai-processing-ms", "X-RateLimit-Remaining-Tokens",
                           "endpoint-load-metrics"}) {
    CAPTURE(name);
    CHECK(passes_to_caller(name, "x"));
  }
  for (const char* name : {"Set-Cookie", "Connection", "Content-Length", "Transfer-Encoding",
                           "Server", "Location", "x-rate", ""}) {
    CAPTURE(name);
    CHECK_FALSE(passes_to_caller(name, "x"));
  }
  for (const char* value : {"a\nb", "a\rb",
                            "a\x01"
                            "b",
                            "\x7f"}) {
    CHECK_FALSE(passes_to_caller("content-type", value));
  }
  CHECK_FALSE(passes_to_caller("content-type", std::string_view("a\0b", 3)));
}

TEST_CASE("a control character is found wherever it stands", "[gateway][fields]") {
  const std::string good = "text/event-stream; charset=\t\"utf-8\" \xc3\xa4\xff~";
  CHECK(passes_to_caller("content-type", good));
  for (const char bad : {'\x00', '\x01', '\n', '\r', '\x1f', '\x7f'}) {
    for (std::size_t at = 0; at <= good.size(); ++at) {
      std::string value = good;
      value.insert(at, 1, bad);
      CAPTURE(at, static_cast<int>(bad));
      CHECK_FALSE(passes_to_caller("content-type", value));
    }
  }
}

/// Where a caller stands, as header fields.
#include "gateway/rate_fields.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gateway::reset_text;

TEST_CASE("times as OpenAI writes them", "[gateway][rate]") {
  CHECK(reset_text(0ns) == "0ms");
  CHECK(reset_text(-1s) == "0ms");
  CHECK(reset_text(12ms) == "12ms");
  CHECK(reset_text(12ms + 1ns) == "13ms");
  CHECK(reset_text(999ms + 1ns) == "1s");
  CHECK(reset_text(12s) == "12s");
  CHECK(reset_text(59s + 1ns) == "1m0s");
  CHECK(reset_text(6min) == "6m0s");
  CHECK(reset_text(3723s) == "1h2m3s");
}

TEST_CASE("six fields, or none", "[gateway][rate]") {
  http::Fields none;
  CHECK_FALSE(gateway::add_rate_fields(none, {}));
  CHECK(none.text().empty());

  http::Fields requests;
  CHECK(gateway::add_rate_fields(requests,
                                 {.requests = {.limit = 60, .remaining = 59, .reset = 1s}}));
  CHECK(requests.text() ==
        "X-RateLimit-Limit-Requests: 60\r\nX-RateLimit-Remaining-Requests: 59\r\n"
        "X-RateLimit-Reset-Requests: 1s\r\nX-RateLimit-Limit-Tokens: 2147483647\r\n"
        "X-RateLimit-Remaining-Tokens: 2147483647\r\nX-RateLimit-Reset-Tokens: 0ms\r\n");

  http::Fields tokens;
  CHECK(gateway::add_rate_fields(tokens, {.tokens = {.limit = 100, .remaining = 0, .reset = 90s}}));
  CHECK(tokens.text() ==
        "X-RateLimit-Limit-Requests: 2147483647\r\nX-RateLimit-Remaining-Requests: 2147483647\r\n"
        "X-RateLimit-Reset-Requests: 0ms\r\n"
        "X-RateLimit-Limit-Tokens: 100\r\nX-RateLimit-Remaining-Tokens: 0\r\n"
        "X-RateLimit-Reset-Tokens: 1m30s\r\n");
}

/// Response heads, line by line.
#include <catch2/catch.hpp>

#include "net/response_head.hpp"
#include "net/transfer_error.hpp"

using namespace llmroute;
using net::ResponseHead;

TEST_CASE("a response head", "[net][head]") {
  ResponseHead head;
  REQUIRE(head.add("HTTP/1.1 200 OK\r\n") == nullptr);
  CHECK(head.status() == 0);

  SECTION("is complete at its blank line") {
    CHECK(head.add("Content-Length:  12 \r\n") == nullptr);
    CHECK(head.add("X-Empty:\r\n") == nullptr);
    CHECK_FALSE(head.complete());
    CHECK(head.fields().empty());
    CHECK(head.add("\r\n") == nullptr);
    CHECK(head.complete());
    CHECK(head.status() == 200);
    CHECK(head.content_length() == 12);
    CHECK(head.framed());
    CHECK(head.fields().size() == 2);
    CHECK(head.fields().find("content-length") == "12");
    CHECK(head.fields().find("x-empty") == "");
  }
  SECTION("may end its lines with LF alone") {
    CHECK(head.add("A: b\n") == nullptr);
    CHECK(head.add("\n") == nullptr);
    CHECK(head.fields().find("a") == "b");
    CHECK_FALSE(head.framed());
  }
  SECTION("of HTTP/2 has no reason, and always an end of its body") {
    ResponseHead http2;
    CHECK_FALSE(http2.begun());
    CHECK(http2.add("HTTP/2 204 \r\n") == nullptr);
    CHECK(http2.begun());
    CHECK(http2.add("x-a: b\r\n") == nullptr);
    CHECK(http2.add("\r\n") == nullptr);
    CHECK(http2.status() == 204);
    CHECK(http2.http_2());
    CHECK(http2.framed());
    CHECK_FALSE(head.http_2());
  }
  SECTION("drops trailers, and counts them") {
    head.add("Transfer-Encoding: Chunked\r\n");
    head.add("\r\n");
    CHECK(head.framed());
    CHECK(head.add("X-Trailer: 1\r\n") == nullptr);
    CHECK_FALSE(head.fields().find("x-trailer"));
    const char* wrong = nullptr;
    for (int i = 0; i < ResponseHead::max_lines && wrong == nullptr; ++i)
      wrong = head.add("X: 1\r\n");
    CHECK(wrong != nullptr);
  }
}

TEST_CASE("libcurl's result codes are named for what they are", "[net][head]") {
  using Kind = net::TransferError::Kind;
  const auto kind = [](int code, bool head_complete) {
    return net::transfer_error(code, head_complete, "").kind;
  };
  CHECK(kind(6, false) == Kind::dns);
  CHECK(kind(7, false) == Kind::connect);
  CHECK(kind(28, false) == Kind::timeout_connect);
  CHECK(kind(35, false) == Kind::tls);
  CHECK(kind(60, false) == Kind::tls);
  CHECK(kind(52, false) == Kind::reset_before_head);
  CHECK(kind(56, false) == Kind::reset_before_head);
  CHECK(kind(56, true) == Kind::cut);
  CHECK(kind(18, true) == Kind::cut);
  for (const int code : {16, 92}) {
    CHECK(kind(code, false) == Kind::reset_before_head);
    CHECK(kind(code, true) == Kind::cut);
  }
  for (const int code : {1, 8, 27, 61}) CHECK(kind(code, false) == Kind::protocol);
  CHECK(kind(63, true) == Kind::too_large);
  CHECK(kind(43, false) == Kind::internal);
  CHECK(net::transfer_error(27, false, "out of memory").text.find("memory") == std::string::npos);
  CHECK(net::transfer_error(7, false, "Failed to connect to x").text == "Failed to connect to x");
}

/// HTTP/2 over TLS when all goes well: negotiated, reused, cancelled stream by stream.
#include <catch2/catch.hpp>
#include <thread>

#include "net/http2_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;
using net::Chunk;
using net::HttpTransfer;
using net::Loop;
using net::Task;

TEST_CASE("a node that has HTTP/2", "[net][http2]") {
  H2Fixture http2([](const SeenRequest&) {
    return h2_answer(200, R"({"ok":true})", {{"content-type", "application/json"}});
  });

  SECTION("is talked to in it") {
    const Fetched got = fetch(http2.loop, http2.to, R"({"model":"m"})");
    REQUIRE(got.kind == Chunk::Kind::end);
    CHECK(got.status == 200);
    CHECK(got.body == R"({"ok":true})");
    CHECK(got.headers.find("content-type") == "application/json");
    const SeenRequest seen = http2.node.requests().front();
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/v1/chat/completions");
    CHECK(seen.body == R"({"model":"m"})");
    CHECK_FALSE(seen.headers.find("accept-encoding"));
    CHECK(http2.node.offered() == "h2 http/1.1");
  }
  SECTION("also where nothing else is wanted") {
    const net::Endpoint only = http2.asking(HttpVersion::http_2);
    CHECK(fetch(http2.loop, only, "{}").kind == Chunk::Kind::end);
  }
  SECTION("is not offered it where it is not wanted") {
    const net::Endpoint never_2 = http2.asking(HttpVersion::http_1_1);
    CHECK(fetch(http2.loop, never_2, "{}").error->kind == net::TransferError::Kind::tls);
    CHECK(http2.node.offered() == "http/1.1");
  }
  SECTION("keeps its connection over calls one after the other") {
    for (int i = 0; i < 100; ++i) {
      REQUIRE(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    }
    CHECK(http2.node.connections() == 1);
  }
}

TEST_CASE("a node that has HTTP/1.1 only", "[net][http2]") {
  Loop loop;
  const TlsIdentity identity;
  ScriptedUpstream node([](const SeenRequest&) { return answer(200, "{}"); }, &identity);
  net::EndpointOptions options{.url = node.url(), .tls = {.ca_file = identity.certificate_file()}};

  SECTION("is talked to in that") {
    CHECK(fetch(loop, net::Endpoint(options), "{}").kind == Chunk::Kind::end);
  }
  SECTION("fails where HTTP/2 is a must, and says so") {
    options.http_version = HttpVersion::http_2;
    const Fetched got = fetch(loop, net::Endpoint(options), "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == net::TransferError::Kind::protocol);
    CHECK_THAT(got.error->text, Catch::Contains("HTTP/1.1") && Catch::Contains("http_version"));
  }
}

TEST_CASE("a body large both ways passes HTTP/2's windows", "[net][http2]") {
  const std::string large(3'000'000, 'x');
  H2Fixture http2([](const SeenRequest& request) { return h2_answer(200, request.body); });
  CHECK(fetch(http2.loop, http2.to, large).body == large);
}

TEST_CASE("interim responses of HTTP/2 are skipped", "[net][http2]") {
  H2Fixture http2(H2Script().interim(103).head(200).data("{}").end());
  const Fetched got = fetch(http2.loop, http2.to, "{}");
  CHECK(got.status == 200);
  CHECK(got.body == "{}");
}

TEST_CASE("a stream over HTTP/2", "[net][http2]") {
  Gate more;
  H2Fixture http2([&](const SeenRequest& request) {
    if (request.number == 2) return h2_answer(200, "{}");
    return h2_events({sse("a")}).wait(more).data(sse("b")).end();
  });
  HttpTransferOnLoop transfer(http2.loop, http2.to);
  REQUIRE(transfer.next().kind == Chunk::Kind::head);
  CHECK(transfer->status() == 200);
  REQUIRE(transfer.next().bytes == sse("a"));

  SECTION("comes event by event") {
    more.open();
    CHECK(transfer.next().bytes == sse("b"));
    CHECK(transfer.next().kind == Chunk::Kind::end);
  }
  SECTION("that is cancelled ends at the node at once, and no other with it") {
    HttpTransferOnLoop other(http2.loop, http2.to);
    REQUIRE(other.next().kind == Chunk::Kind::head);
    transfer.end();
    CHECK(http2.node.wait_for_closed(1));
    CHECK(read_all(other).kind == Chunk::Kind::end);
  }
  SECTION("has a connection to itself") {
    CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
    CHECK(http2.node.connections() == 2);
    more.open();
    CHECK(transfer.next().bytes == sse("b"));
  }
}

TEST_CASE("streams over HTTP/2 left at their [DONE] leave connections to be used again",
          "[net][http2]") {
  H2Fixture http2(h2_events({sse("a"), done()}).end());
  for (int i = 0; i < 50; ++i) read_to_done(http2.loop, http2.to);
  CHECK(http2.node.request_count() == 50);
  CHECK(http2.node.connections() <= 4);
}

TEST_CASE("a slow reader of HTTP/2 makes its own stream stand, and no other", "[net][http2]") {
  const std::string piece(10'000, 'x');
  H2Fixture http2([&](const SeenRequest& request) {
    if (request.body == "small") return h2_events({sse("a"), done()}).end();
    H2Script script = H2Script().head(200);
    for (int i = 0; i < 3000; ++i) script.data(piece);
    return script.end();
  });
  HttpTransferOnLoop slow(http2.loop, http2.to);
  REQUIRE(slow.next().kind == Chunk::Kind::head);
  std::thread turning([&] {
    turn_until(
        http2.loop, [] { return false; }, 400ms);
  });
  CHECK(http2.node.wait_until_stuck() < 16'000'000);  // what the kernel buffers, of 30 MB
  turning.join();

  for (int i = 0; i < 10; ++i) {
    HttpTransferOnLoop quick(http2.loop, http2.to, "small");
    CHECK(read_all(quick).body == sse("a") + done());
  }
  std::size_t got = 0;
  std::size_t largest = 0;
  for (Chunk chunk = slow.next(); chunk.kind == Chunk::Kind::data; chunk = slow.next()) {
    largest = std::max(largest, chunk.bytes.size());
    got += chunk.bytes.size();
  }
  CHECK(got == 3000 * piece.size());
  CHECK(largest <= HttpTransfer::high_water + 16 * 1024);
}

TEST_CASE("a paused stream over HTTP/2 can be cancelled", "[net][http2]") {
  H2Fixture http2([&](const SeenRequest& request) {
    if (request.number == 2) return h2_answer(200, "{}");
    return H2Script().head(200).data(std::string(4'000'000, 'x'));
  });
  HttpTransferOnLoop slow(http2.loop, http2.to);
  REQUIRE(slow.next().kind == Chunk::Kind::head);
  std::thread turning([&] {
    turn_until(
        http2.loop, [] { return false; }, 300ms);
  });
  http2.node.wait_until_stuck();
  turning.join();
  slow.end();
  CHECK(fetch(http2.loop, http2.to, "{}").kind == Chunk::Kind::end);
  CHECK(http2.node.request_count() == 2);
}

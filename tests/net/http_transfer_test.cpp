/// A transfer on a real socket when all goes well: whole and streamed, headers, reuse of
/// connections.
#include <catch2/catch.hpp>

#include "net/frame_pool.hpp"
#include "net/http_transfer.hpp"
#include "net/transfer_fixture.hpp"
#include "support/run_task.hpp"
#include "support/scripted_upstream.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Endpoint;
using net::HttpTransfer;
using net::Loop;
using net::Task;

TEST_CASE("a whole transfer", "[net][transfer]") {
  Loop loop;

  SECTION("brings status, fields and body at once") {
    ScriptedUpstream node(answer(200, R"({"ok":true})"));
    const Fetched got = fetch(loop, endpoint(node), "{}");
    CHECK(got.kind == Chunk::Kind::end);
    CHECK(got.status == 200);
    CHECK(got.body == R"({"ok":true})");
    CHECK(got.headers.find("content-type") == "application/json");
  }

  SECTION("sends method, path, body and both sorts of fields") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to(
        {.url = node.url("/v1/chat/completions"), .headers = {{"Authorization", "Bearer k"}}});
    const std::vector<Header> extra{{"X-Request-ID", "r-1"}, {"X-Empty", ""}};
    fetch(loop, to, R"({"model":"m"})", extra);
    const SeenRequest seen = node.requests().front();
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/v1/chat/completions");
    CHECK(seen.body == R"({"model":"m"})");
    CHECK(seen.headers.find("authorization") == "Bearer k");
    CHECK(seen.headers.find("x-request-id") == "r-1");
    CHECK(seen.headers.find("x-empty") == "");
    CHECK(seen.headers.find("content-type") == "application/json");
    CHECK_FALSE(seen.headers.find("expect"));
    CHECK_FALSE(seen.headers.find("accept-encoding"));

    SECTION("and the next one only its own") {
      fetch(loop, to, "{}");
      const SeenRequest next = node.requests().back();
      CHECK_FALSE(next.headers.find("x-request-id"));
      CHECK(next.headers.find("authorization") == "Bearer k");
    }
  }

  SECTION("has the content type of the call, else of the endpoint") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to({.url = node.url(), .headers = {{"content-type", "a/b"}, {"X-A", "1"}}});
    fetch(loop, to, "{}");
    CHECK(node.requests().back().headers.find("content-type") == "a/b");
    const std::vector<Header> extra{{"Content-Type", "c/d"}};
    fetch(loop, to, "{}", extra);
    CHECK(node.requests().back().head.find("a/b") == std::string::npos);
    CHECK(node.requests().back().headers.find("content-type") == "c/d");
    CHECK(node.requests().back().headers.find("x-a") == "1");
  }

  SECTION("may be a GET") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to({.url = node.url("/health"), .method = HttpMethod::get});
    fetch(loop, to, {});
    CHECK(node.requests().front().method == "GET");
    CHECK(node.requests().front().body.empty());
  }

  SECTION("brings an error's body as well") {
    ScriptedUpstream node(answer(503, R"({"error":{"message":"busy"}})"));
    const Fetched got = fetch(loop, endpoint(node), "{}");
    CHECK(got.kind == Chunk::Kind::end);
    CHECK(got.status == 503);
    CHECK(got.body == R"({"error":{"message":"busy"}})");
  }

  SECTION("carries large bodies both ways") {
    const std::string large(3'000'000, 'x');
    ScriptedUpstream node([&](const SeenRequest& request) { return answer(200, request.body); });
    const Fetched got = fetch(loop, endpoint(node), large);
    CHECK(got.body == large);
  }

  SECTION("skips interim responses") {
    const std::string interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    ScriptedUpstream node(raw(interim + answer(200, "{}").steps().front().bytes));
    const Fetched got = fetch(loop, endpoint(node), "{}");
    CHECK(got.status == 200);
    CHECK_FALSE(got.headers.find("link"));
  }
}

TEST_CASE("a streamed transfer", "[net][transfer]") {
  Loop loop;

  SECTION("gives the head before the body, then bytes as they come") {
    Gate head_seen;
    Gate first_seen;
    Script script = raw(head(200, {{"Transfer-Encoding", "chunked"}}));
    script.wait(head_seen).send(chunk("one")).wait(first_seen).send(chunk("two")).send(chunk(""));
    ScriptedUpstream node(script);
    const Endpoint to = endpoint(node);
    HttpTransferOnLoop transfer(loop, to);
    CHECK(transfer.next().kind == Chunk::Kind::head);
    CHECK(transfer->status() == 200);
    head_seen.open();
    CHECK(transfer.next().bytes == "one");
    first_seen.open();
    CHECK(transfer.next().bytes == "two");
    CHECK(transfer.next().kind == Chunk::Kind::end);
    CHECK(transfer.next().kind == Chunk::Kind::end);
  }

  SECTION("gives what came before it was cut, then the failure") {
    ScriptedUpstream node(event_stream({sse("a")}, Ending::open).close());
    const Endpoint to = endpoint(node);
    HttpTransferOnLoop transfer(loop, to);
    CHECK(transfer.next().kind == Chunk::Kind::head);
    CHECK(transfer.next().bytes == sse("a"));
    CHECK(transfer.next().kind == Chunk::Kind::failed);
    CHECK(transfer->error().kind == net::TransferError::Kind::cut);
  }
}

TEST_CASE("connections are kept", "[net][transfer]") {
  Loop loop;

  SECTION("over a thousand calls one after the other") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to = endpoint(node);
    REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    [[maybe_unused]] const std::size_t warm = net::frames_allocated();
    for (int i = 1; i < 1000; ++i) REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    CHECK(node.connections() == 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(net::frames_allocated() == warm);
#endif
  }

  SECTION("over a thousand calls, ten at a time") {
    ScriptedUpstream node(answer(200, "{}"));
    const Endpoint to = endpoint(node);
    for (int i = 0; i < 100; ++i) {
      std::vector<Task<Fetched>> calls;
      for (int k = 0; k < 10; ++k) {
        calls.push_back(fetching(loop, to, "{}", {}));
        start(loop, calls.back());
      }
      for (auto& call : calls) REQUIRE(turn_until(loop, [&] { return call.done(); }));
    }
    CHECK(node.request_count() == 1000);
    CHECK(node.connections() <= 10);
  }

  SECTION("over streams whose end is in the read that brings [DONE]") {
    const std::string all = chunk(sse("a")) + chunk(done()) + chunk("");
    ScriptedUpstream node(raw(head(200, {{"Transfer-Encoding", "chunked"}}) + all));
    const Endpoint to = endpoint(node);
    for (int i = 0; i < 100; ++i) read_to_done(loop, to);
    CHECK(node.connections() == 1);
  }

  SECTION("over streams whose end comes after [DONE]") {
    ScriptedUpstream node(event_stream({sse("a"), done()}));
    const Endpoint to = endpoint(node);
    for (int i = 0; i < 100; ++i) read_to_done(loop, to);
    CHECK(node.request_count() == 100);
    CHECK(node.connections() <= 4);
  }

  SECTION("but not over one whose end has not come yet") {
    Gate gate;
    ScriptedUpstream node(
        std::vector{event_stream({sse("a"), done()}, Ending::open).wait(gate).send(chunk("")),
                    event_stream({sse("b"), done()})});
    const Endpoint to = endpoint(node);
    read_to_done(loop, to);
    read_to_done(loop, to);
    CHECK(node.connections() == 2);
    gate.open();
  }
}

TEST_CASE("a connection is not kept beyond its age, so that a node that moved is found again",
          "[net][transfer]") {
  Loop loop;
  ScriptedUpstream node(answer(200, "{}"));
  const Endpoint to({.url = node.url(), .max_connection_age = std::chrono::seconds(1)});
  CHECK(to.options().max_connection_age == std::chrono::seconds(1));
  CHECK(turn_until(loop, [&] {
    REQUIRE(fetch(loop, to, "{}").kind == Chunk::Kind::end);
    return node.connections() == 2;
  }));
}

TEST_CASE("a stream whose body stays open after [DONE] is given up after a moment",
          "[net][transfer]") {
  Loop loop;
  ScriptedUpstream node(event_stream({sse("a"), done()}, Ending::open).hang());
  const Endpoint to = endpoint(node);
  read_to_done(loop, to);
  CHECK(node.gone() == 0);
  CHECK(turn_until(loop, [&] { return node.gone() == 1; }));
}

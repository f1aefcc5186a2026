/// Cancelling, clocks and back-pressure: a transfer ends when its owner does, wherever it is, and
/// never runs ahead of its reader.
#include <catch2/catch.hpp>
#include <thread>

#include "net/frame_pool.hpp"
#include "net/transfer_fixture.hpp"
#include "support/connection.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;
using net::Chunk;
using net::Loop;
using net::Task;

namespace {

Task<bool> reading_for_ever(Loop& loop, const net::Endpoint& to, int& reads) {
  net::HttpTransfer transfer(loop, to, "{}", {}, net::HttpTransfer::Mode::streamed);
  for (;;) {
    const Chunk chunk = co_await transfer.read(never);
    ++reads;
    if (chunk.kind == Chunk::Kind::end) co_return true;
  }
}

}  // namespace

TEST_CASE("a cancelled transfer closes its connection at once", "[net][cancel]") {
  const long frames = net::frames_live();
  Loop loop;
  int reads = 0;

  SECTION("before the request is out") {
    ScriptedUpstream node(Script().hang());
    const net::Endpoint to = endpoint(node);
    Task<bool> task = reading_for_ever(loop, to, reads);
    start(loop, task);
    task.reset();
    CHECK(fetch(loop, to, "{}", {}, loop.now() + 20ms).kind == Chunk::Kind::timeout);
    CHECK(node.wait_for_gone(1));
  }
  SECTION("before the head") {
    ScriptedUpstream node(Script().hang());
    const net::Endpoint to = endpoint(node);
    Task<bool> task = reading_for_ever(loop, to, reads);
    start(loop, task);
    REQUIRE(turn_until(loop, [&] { return node.request_count() == 1; }));
    task.reset();
    CHECK(node.wait_for_gone(1));
  }
  SECTION("in mid-stream") {
    ScriptedUpstream node(event_stream({sse("a")}, Ending::open).hang());
    const net::Endpoint to = endpoint(node);
    Task<bool> task = reading_for_ever(loop, to, reads);
    start(loop, task);
    REQUIRE(turn_until(loop, [&] { return reads == 2; }));
    task.reset();
    CHECK(node.wait_for_gone(1));
  }
  SECTION("from another thread, by post") {
    ScriptedUpstream node(event_stream({sse("a")}, Ending::open).hang());
    const net::Endpoint to = endpoint(node);
    Task<bool> task = reading_for_ever(loop, to, reads);
    start(loop, task);
    REQUIRE(turn_until(loop, [&] { return reads == 2; }));
    std::thread other([&] { loop.post([&] { task.reset(); }); });
    CHECK(turn_until(loop, [&] { return node.gone() == 1; }));
    other.join();
  }
  SECTION("while it is paused") {
    ScriptedUpstream node(chunked(200, {std::string(4'000'000, 'x')}, Ending::open).hang());
    const net::Endpoint to = endpoint(node);
    HttpTransferOnLoop transfer(loop, to);
    CHECK(transfer.next().kind == Chunk::Kind::head);
    std::thread turning([&] {
      turn_until(
          loop, [] { return false; }, 300ms);
    });
    node.wait_until_stuck();
    turning.join();
    transfer.end();
    CHECK(node.wait_for_gone(1));
  }
  CHECK(net::frames_live() == frames);
}

TEST_CASE("a read has a deadline", "[net][clock]") {
  Loop loop;
  Gate gate;
  Script script;
  script.wait(gate)
      .send(head(200, {{"Transfer-Encoding", "chunked"}}))
      .wait(gate)
      .send(chunk("late"));
  ScriptedUpstream node(script.send(chunk("")));
  const net::Endpoint to = endpoint(node);
  HttpTransferOnLoop transfer(loop, to);

  SECTION("that ends the wait, not the transfer") {
    const Time deadline = loop.now() + 5ms;
    CHECK(transfer.next(deadline).kind == Chunk::Kind::timeout);
    CHECK(loop.now() >= deadline);
    CHECK(transfer.next(loop.now() + 5ms).kind == Chunk::Kind::timeout);
    gate.open();
    CHECK(transfer.next(loop.now() + 1h).kind == Chunk::Kind::head);
    CHECK(transfer.next(loop.now() + 2h).bytes == "late");
  }
  SECTION("that may be later or earlier than the one before") {
    CHECK(transfer.next(loop.now() + 5ms).kind == Chunk::Kind::timeout);
    CHECK(transfer.next(loop.now() + 15ms).kind == Chunk::Kind::timeout);
    CHECK(transfer.next(loop.now() + 2ms).kind == Chunk::Kind::timeout);
    CHECK(transfer.next(loop.now() - 1s).kind == Chunk::Kind::timeout);
  }
  SECTION("that a chunk in time moves on without arming anew") {
    gate.open();
    const Time first = loop.now() + 40ms;
    CHECK(transfer.next(first).kind == Chunk::Kind::head);
    CHECK(transfer.next(first + 10s).bytes == "late");
    CHECK(transfer.next(first + 10s).kind == Chunk::Kind::end);
    turn_until(
        loop, [] { return false; }, 60ms);  // the old moment passes unnoticed
    CHECK(transfer.next(first + 10s).kind == Chunk::Kind::end);
  }
}

TEST_CASE("a connect clock ends an attempt that gets no connection", "[net][clock]") {
  // A listener that never accepts, with its queue filled, drops what else comes, as a black hole
  // does.
  Loop loop;
  Listener listener(0);
  std::vector<std::unique_ptr<Connection>> fill;
  const net::Endpoint to(
      {.url = "http://127.0.0.1:" + std::to_string(listener.port()), .connect_timeout = 50ms});
  for (int i = 0; i < 8; ++i) fill.push_back(listener.connect_without_waiting());
  const Fetched got = fetch(loop, to, "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK(got.error->kind == net::TransferError::Kind::timeout_connect);
}

TEST_CASE("a slow reader makes the node stand", "[net][pressure]") {
  Loop loop;
  const std::string piece(10'000, 'x');
  const std::size_t pieces = 3000;
  ScriptedUpstream node(chunked(200, std::vector<std::string>(pieces, piece)));
  const net::Endpoint to = endpoint(node);
  HttpTransferOnLoop transfer(loop, to);
  REQUIRE(transfer.next().kind == Chunk::Kind::head);

  std::thread turning([&] {
    turn_until(
        loop, [] { return false; }, 400ms);
  });
  const std::size_t stuck_at = node.wait_until_stuck();
  turning.join();
  CHECK(stuck_at < 16'000'000);  // what the kernel buffers, of 30 MB

  std::size_t got = 0;
  std::size_t largest = 0;
  for (;;) {
    const Chunk chunk = transfer.next();
    if (chunk.kind != Chunk::Kind::data) break;
    largest = std::max(largest, chunk.bytes.size());
    got += chunk.bytes.size();
  }
  CHECK(got == pieces * piece.size());
  CHECK(largest <= net::HttpTransfer::high_water + 16 * 1024);
}

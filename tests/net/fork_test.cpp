/// fork(): the child lets go of what it inherited without disturbing the parent, and can begin
/// anew.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>

#include "net/fork.hpp"
#include "net/transfer_fixture.hpp"
#include "support/leave_child.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Loop;
using net::Task;

namespace {

/// Runs `work` in a child; true when it returned true.
template <class F>
bool in_child(F&& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) leave_child(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a forked child", "[net][fork]") {
  Gate gate;
  ScriptedUpstream node([&](const SeenRequest& request) {
    Script script = event_stream({sse("a")}, Ending::open);
    return request.number == 2 ? script.wait(gate).send(chunk(sse("b"))).send(chunk(""))
                               : answer(200, "{}");
  });
  auto loop = std::make_unique<Loop>();
  const net::Endpoint to = endpoint(node);
  CHECK(fetch(*loop, to, "{}").kind == Chunk::Kind::end);
  auto transfer = std::make_unique<HttpTransferOnLoop>(*loop, to);
  CHECK((*transfer).next().kind == Chunk::Kind::head);
  CHECK((*transfer).next().bytes == sse("a"));
  const std::uint64_t generation = net::fork_generation();
  CHECK_FALSE(loop->forked());

  SECTION("knows that the loop is another process's, and lets go of it in peace") {
    CHECK(in_child([&] {
      const bool knows = loop->forked() && net::fork_generation() != generation;
      transfer.reset();
      loop.reset();
      return knows;
    }));
  }
  SECTION("makes calls on a loop of its own") {
    CHECK(in_child([&] {
      transfer.reset();
      loop.reset();
      Loop own;
      return fetch(own, to, "{}").kind == Chunk::Kind::end;
    }));
  }
  CHECK_FALSE(loop->forked());
  CHECK(net::fork_generation() == generation);
  gate.open();  // the parent's stream goes on
  CHECK((*transfer).next().bytes == sse("b"));
  CHECK((*transfer).next().kind == Chunk::Kind::end);
  CHECK(node.gone() == 0);
}

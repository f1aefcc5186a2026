// Calls and loops of a process in its forked child.
#include <sys/wait.h>
#include <unistd.h>

#include "capi/capi_fixture.hpp"
#include "support/leave_child.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// Whether `good()` holds in a forked child.
template <class F>
bool in_child(F&& good) {
  const pid_t child = ::fork();
  if (child == 0) leave_child(good());
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

/// An answer that comes when the gate is open.
Script answer_behind(const Gate& gate) {
  return Script().wait(gate).send(answer(200, chat_completion("a")).steps()[0].bytes);
}

}  // namespace

TEST_CASE("a forked child does not wait for a call of its parent's", "[capi][call][fork]") {
  Gate gate;
  ScriptedUpstream node(answer_behind(gate));
  const OwnedRouter router = router_for(node);
  Heard heard;
  OwnedCall call;
  REQUIRE(start(router, heard, call, false) == LLMROUTE_OK);
  REQUIRE(node.wait_for_requests(1));
  CHECK(in_child([&] {
    const bool refused = llmroute_call_wait(call) == LLMROUTE_FORKED;
    call.reset();
    return refused && heard.done == 0;
  }));
  gate.open();
  CHECK(llmroute_call_wait(call) == LLMROUTE_OK);
  CHECK(heard.status == LLMROUTE_OK);
}

TEST_CASE("a forked child leaves a loop of its parent's alone", "[capi][loop][fork]") {
  Gate gate;
  ScriptedUpstream node(answer_behind(gate));
  const OwnedRouter router = router_for(node);
  OwnedLoop loop = new_loop();
  OwnedLoop idle = new_loop();
  REQUIRE(llmroute_loop_fd(loop) >= 0);
  Heard heard;
  OwnedCall call;
  REQUIRE(start_on(loop, router, heard, call, false) == LLMROUTE_OK);
  while (node.request_count() == 0) REQUIRE(llmroute_loop_run_for(loop, 10) == LLMROUTE_OK);
  CHECK(in_child([&] {
    Heard second;
    OwnedCall second_call;
    const bool refused = llmroute_loop_run_ready(loop) == LLMROUTE_FORKED &&
                         llmroute_loop_run_for(loop, 1000) == LLMROUTE_FORKED &&
                         llmroute_loop_post(
                             loop, [](void*) {}, nullptr) == LLMROUTE_FORKED &&
                         llmroute_loop_fd(loop) == -1 &&
                         start_on(loop, router, second, second_call) == LLMROUTE_FORKED &&
                         llmroute_router_maintain(router, idle, nullptr) == LLMROUTE_FORKED;
    loop.reset();
    idle.reset();
    call.reset();
    return refused && heard.done == 0 && second.done == 0;
  }));
  gate.open();
  turn_until(loop, [&] { return heard.done == 1; });
  CHECK(heard.status == LLMROUTE_OK);
  REQUIRE(start_on(idle, router, heard, call, false) == LLMROUTE_OK);
  turn_until(idle, [&] { return heard.done == 2; });
}

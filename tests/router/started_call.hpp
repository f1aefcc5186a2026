/// A call that runs while the test goes on, and a node that holds its first request, so that others
/// have to wait.
#pragma once

#include <optional>
#include <thread>

#include "router/router_fixture.hpp"

namespace llmroute::test {

/// Starts a call whose end can be waited for.
struct Started {
  explicit Started(Router& router, const CallOptions& options = {})
      : Started(router, Request{.body = hello, .options = options}) {}
  Started(Router& router, const Request& request)
      : call(router.start(
            request, {.on_done = [this](Result<Reply> r) { result.emplace(std::move(r)); }})) {}
  Result<Reply>& wait() {
    call.wait();
    return *result;
  }
  std::optional<Result<Reply>> result;
  Call call;
};

/// The first request is answered once the gate opens.
inline ScriptedUpstream::Handler first_held(const Gate& gate) {
  return [gate](const SeenRequest& request) {
    Script script = answer(200, chat_completion("x"));
    return request.number == 1 ? Script().wait(gate).send(script.steps()[0].bytes) : script;
  };
}

inline void wait_for_queue(Router& router, std::size_t depth) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (router.snapshot().queue_depth != depth && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  REQUIRE(router.snapshot().queue_depth == depth);
}

}  // namespace llmroute::test

/// A router that was used before fork(): the child goes on with what was learnt, on sockets of its
/// own.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "router/router_fixture.hpp"
#include "support/leave_child.hpp"

using namespace llmroute;
using namespace llmroute::test;

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

/// Grants whatever is asked.
class OpenStore final : public RateStore {
 public:
  std::optional<RateDecision> reserve(const RateRequest&, const LaterMaker&) override {
    return RateDecision{};
  }
  void reset_after_fork() noexcept override {
    RateStore::reset_after_fork();
    ++forks;
  }
  std::atomic<int> forks{0};
};

}  // namespace

TEST_CASE("a router in a forked child", "[router][fork]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(config_of(node));
  REQUIRE(router.route_chat(hello));

  SECTION("makes calls of its own, and so does the parent afterwards") {
    CHECK(in_child([&] { return router.route_chat(hello).has_value(); }));
    CHECK(router.route_chat(hello).has_value());
    CHECK(node.request_count() == 3);
  }
  SECTION("starts background calls although the parent's thread is not there") {
    const auto started = [&] {
      bool good = false;
      Call call = router.start({.body = hello},
                               {.on_done = [&](Result<Reply> r) { good = r.has_value(); }});
      call.wait();
      return good;
    };
    REQUIRE(started());
    CHECK(in_child(started));
    CHECK(started());
  }
}

TEST_CASE("a call that was under way at fork() is not waited for in the child", "[router][fork]") {
  Gate gate;
  ScriptedUpstream node(
      Script().wait(gate).send(answer(200, chat_completion("x")).steps()[0].bytes));
  Router router(config_of(node));
  bool good = false;
  Call call =
      router.start({.body = hello}, {.on_done = [&](Result<Reply> r) { good = r.has_value(); }});
  REQUIRE(node.wait_for_requests(1));
  CHECK(in_child([&] {
    call.wait();
    return !good;
  }));
  gate.open();
  call.wait();
  CHECK(good);
}

TEST_CASE("a stream that was open at fork() belongs to the parent", "[router][fork]") {
  Gate gate;
  ScriptedUpstream node(
      event_stream({chat_chunk("a")}, Ending::open)
          .wait(gate)
          .send(chunk(chat_chunk("b")) + chunk(chat_finish()) + chunk(done()) + chunk("")));
  Router router(config_of(node));
  Result<Stream> stream = router.stream({.body = hello});
  REQUIRE(stream);
  CHECK(in_child([&] {
    const Result<std::optional<Event>> event = stream->next();
    return !event && event.error().code == ErrorCode::forked;
  }));
  gate.open();
  const Collected all = collect(*stream);
  CHECK_FALSE(all.error);
  CHECK(all.data.size() == 3);
}

TEST_CASE("a store of limits hears of a fork, once and in the child", "[router][fork]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Config config = config_of(node);
  config.limits.default_rpm = 1;
  Router router(config);
  const auto store = std::make_shared<OpenStore>();
  router.use(store);
  REQUIRE(router.route_chat(hello));
  CHECK(in_child(
      [&] { return router.route_chat(hello) && router.route_chat(hello) && store->forks == 1; }));
  CHECK(router.route_chat(hello));
  CHECK(store->forks == 0);
}

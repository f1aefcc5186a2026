/// A router that was used before fork(): the child goes on with what was learnt, on sockets of its
/// own.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "router/router_fixture.hpp"
#include "support/leave_child.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// What there is of other threads: whether one runs, and how often each has been put to sleep.
struct OtherThreads {
  bool asleep = true;
  std::vector<std::string> switches{};
  bool operator==(const OtherThreads&) const = default;
};

OtherThreads other_threads() {
  OtherThreads others;
  const std::filesystem::path self = std::to_string(::gettid());
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == self) continue;
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:")) others.asleep &= line.find('S', 6) != line.npos;
      if (line.find("ctxt_switches") != line.npos) others.switches.push_back(line);
    }
  }
  return others;
}

/// When no other thread runs: the sanitizers' allocator has locks, which would be held in the child
/// for ever.
pid_t fork_in_quiet() {
  const auto give_up = std::chrono::steady_clock::now() + ScriptedUpstream::patience;
  for (OtherThreads before = other_threads();;) {
    OtherThreads now = other_threads();
    if (now.asleep && now == before) return ::fork();
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    before = std::move(now);
    std::this_thread::yield();
  }
}

/// Runs `work` in a child; true when it returned true.
template <class F>
bool in_child(F&& work) {
  const pid_t child = fork_in_quiet();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);  // a child that hangs fails its test
    leave_child(work());
  }
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

/// A thread that is there for a scope.
class OtherThread {
 public:
  OtherThread() = default;
  ~OtherThread() {
    over_.test_and_set();
    over_.notify_one();
    thread_.join();
  }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

 private:
  std::atomic_flag over_{};
  std::thread thread_{[this] { over_.wait(false); }};
};

bool started_call_ends_well(Router& router) {
  bool good = false;
  Call call =
      router.start({.body = hello}, {.on_done = [&](Result<Reply> r) { good = r.has_value(); }});
  call.wait();
  return good;
}

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
    REQUIRE(started_call_ends_well(router));
    CHECK(in_child([&] { return started_call_ends_well(router); }));
    CHECK(started_call_ends_well(router));
  }
}

// glibc gives a child's first thread the handle that the parent's had. The thread sanitizer ends
// such a process: it keeps a table of handles.
#ifndef __SANITIZE_THREAD__

TEST_CASE("a thread of the child is not taken for the parent's background thread",
          "[router][fork]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(config_of(node));
  REQUIRE(started_call_ends_well(router));
  SECTION("by a call") {
    CHECK(in_child([&] {
      const OtherThread other;
      return started_call_ends_well(router);
    }));
  }
  SECTION("when the router goes that nobody has called in the child") {
    CHECK(in_child([&] {
      const OtherThread other;
      const Router gone = std::move(router);
      return true;
    }));
  }
  SECTION("when it goes after a call") {
    CHECK(in_child([&] {
      const OtherThread other;
      Router gone = std::move(router);
      return started_call_ends_well(gone);
    }));
  }
  CHECK(started_call_ends_well(router));
}

TEST_CASE("several threads of a child call at once", "[router][fork]") {
  ScriptedUpstream node(answer(200, chat_completion("x")));
  Router router(config_of(node));
  REQUIRE(started_call_ends_well(router));
  for (int turn = 0; turn < 10; ++turn) {
    CHECK(in_child([&] {
      std::atomic<int> good{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { good += router.route_chat(hello).has_value() ? 1 : 0; });
      }
      for (std::thread& thread : threads) thread.join();
      return good == 8;
    }));
  }
}

#endif

TEST_CASE("a call that the parent cancels is over for its node while a child lives",
          "[router][fork]") {
  ScriptedUpstream node([](const SeenRequest& request) {
    return request.number == 1 ? event_stream({chat_chunk("a")}, Ending::open).hang()
                               : answer(200, chat_completion("x"));
  });
  Router router(config_of(node));
  std::atomic_flag begun;
  Call held = router.start({.body = hello}, {.on_event = [&](const Event&) {
                             begun.test_and_set();
                             begun.notify_one();
                             return Taken::done;
                           }});
  begun.wait(false);
  int lives[2];
  REQUIRE(::pipe(lives) == 0);
  const pid_t child = fork_in_quiet();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(lives[1]);
    const bool good = router.route_chat(hello).has_value();
    char end = 0;
    leave_child(good && ::read(lives[0], &end, 1) == 0);
  }
  ::close(lives[0]);
  REQUIRE(node.wait_for_requests(2));
  held.cancel();
  CHECK(node.wait_for_gone(1));
  ::close(lives[1]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
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

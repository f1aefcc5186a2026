/// The contracts of the loop: who may turn it, what runs when, and that it can be waited for by
/// anything.
#include <poll.h>

#include <catch2/catch.hpp>
#include <llmroute/net/event_loop.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "net/transfer_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;
using net::Chunk;
using net::Loop;
using net::Task;

namespace {

/// Turns an embedded loop as its host would: nothing but poll() on its descriptor.
template <class F>
int poll_until(EventLoop& loop, F&& reached) {
  pollfd watched{loop.fd(), POLLIN, 0};
  for (int polls = 0;; ++polls) {
    if (reached()) return polls;
    REQUIRE(::poll(&watched, 1, 20'000) == 1);
    loop.run_ready();
  }
}

Task<bool> sleeping(Loop& loop, Time at) {
  net::SleepUntil sleep(loop, at);
  co_await sleep;
  co_return true;
}

Task<int> spinning(Loop& loop, int& turns, int most) {
  while (turns < most) {
    ++turns;
    net::SleepUntil sleep(loop, loop.now());
    co_await sleep;
  }
  co_return turns;
}

/// Lets others go first.
class Yield {
 public:
  explicit Yield(Loop& loop) noexcept : loop_(loop) {}
  Yield(const Yield&) = delete;
  Yield& operator=(const Yield&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    loop_.wake(waiter_);
    loop_.wake(waiter_);  // twice is once
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  net::Waiter waiter_{};
};

Task<int> yielding(Loop& loop, int& turns, int most) {
  while (turns < most) {
    ++turns;
    Yield yield(loop);
    co_await yield;
  }
  co_return turns;
}

struct Grave : net::Doomed {
  Grave(Loop& at, bool& gone) : loop(at), reaped(gone) {}
  void reap() noexcept override {
    was_running = loop.running();
    reaped = true;
  }
  Loop& loop;
  bool& reaped;
  bool was_running = false;
};

Task<bool> digging(Loop& loop, Grave& grave, bool& reaped_too_early) {
  loop.doom(grave);
  reaped_too_early = grave.reaped;
  co_return true;
}

}  // namespace

TEST_CASE("an embedded loop needs nothing but poll on its descriptor", "[net][loop]") {
  EventLoop loop;
  ScriptedUpstream node([](const SeenRequest&) {
    return event_stream({sse("a"), sse("b"), done()});
  });
  const net::Endpoint to = endpoint(node);

  SECTION("for transfers") {
    std::vector<Task<Fetched>> calls;
    for (int i = 0; i < 50; ++i) {
      calls.push_back(fetching(loop.core(), to, "{}", {}));
      start(loop.core(), calls.back());
    }
    for (auto& call : calls) poll_until(loop, [&] { return call.done(); });
    for (auto& call : calls) CHECK(call.result().body == sse("a") + sse("b") + done());
  }
  SECTION("for timers, nearer ones armed later as well") {
    Task<bool> late = sleeping(loop.core(), loop.now() + 1h);
    Task<bool> soon = sleeping(loop.core(), loop.now() + 2ms);
    start(loop.core(), late);
    start(loop.core(), soon);
    CHECK(poll_until(loop, [&] { return soon.done(); }) <= 3);
    Task<bool> again = sleeping(loop.core(), loop.now() + 2ms);
    start(loop.core(), again);
    poll_until(loop, [&] { return again.done(); });
    CHECK_FALSE(late.done());
  }
  SECTION("for posted work") {
    bool done = false;
    std::thread([&] { loop.post([&] { done = true; }); }).join();
    CHECK(poll_until(loop, [&] { return done; }) == 1);
    loop.post([&] { done = false; });
    poll_until(loop, [&] { return !done; });
  }
  SECTION("and then is silent") {
    Task<Fetched> call = fetching(loop.core(), to, "{}", {});
    start(loop.core(), call);
    poll_until(loop, [&] { return call.done(); });
    pollfd watched{loop.fd(), POLLIN, 0};
    for (int i = 0; i < 5 && ::poll(&watched, 1, 0) == 1; ++i) loop.run_ready();
    CHECK(::poll(&watched, 1, 50) == 0);
    node.close_idle();  // a kept connection that the node closes makes no noise for long
    for (int i = 0; i < 5 && ::poll(&watched, 1, 0) == 1; ++i) loop.run_ready();
    CHECK(::poll(&watched, 1, 50) == 0);
  }
}

TEST_CASE("a turn is bounded, and the descriptor stays readable for the rest", "[net][loop]") {
  EventLoop loop;
  int turns = 0;
  const bool by_timer = GENERATE(true, false);
  Task<int> task =
      by_timer ? spinning(loop.core(), turns, 1000) : yielding(loop.core(), turns, 1000);
  start(loop.core(), task);
  pollfd watched{loop.fd(), POLLIN, 0};
  int before = turns;
  while (!task.done()) {
    REQUIRE(::poll(&watched, 1, 1000) == 1);
    loop.run_ready();
    CHECK(turns - before <= 257);
    before = turns;
  }
  CHECK(turns == 1000);
}

TEST_CASE("sockets are looked at however much ready work there is", "[net][loop]") {
  Loop loop;
  loop.borrow(true);
  ScriptedUpstream node(answer(200, "{}"));
  const net::Endpoint to = endpoint(node);
  int turns = 0;
  Task<int> busy = spinning(loop, turns, 1 << 30);
  start(loop, busy);
  CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
}

TEST_CASE("what is posted", "[net][loop]") {
  EventLoop loop;
  std::string order;

  SECTION("runs in order, on the loop's thread, also what is posted from there") {
    loop.post([&] {
      order += 'a';
      CHECK(loop.core().on_loop_thread());
      loop.post([&] { order += 'c'; });
    });
    loop.post([&] { order += 'b'; });
    CHECK(order.empty());
    CHECK_FALSE(loop.core().on_loop_thread());
    CHECK(turn_until(loop.core(), [&] { return order == "abc"; }));
  }
  SECTION("comes from any number of threads, all of it") {
    int count = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) loop.post([&] { ++count; });
      });
    }
    CHECK(turn_until(loop.core(), [&] { return count == 4000; }));
    for (auto& thread : threads) thread.join();
  }
  SECTION("ends a wait") {
    bool stop = false;
    std::thread thread([&] {
      while (!stop) loop.run_for(1h);
    });
    loop.post([&] { stop = true; });
    thread.join();
    CHECK(stop);
  }
  SECTION("may throw: the loop goes on") {
    loop.post([&] {
      order += 't';
      throw std::runtime_error("the caller's");
    });
    loop.post([&] { order += 'w'; });
    CHECK_THROWS(loop.run_for(1s));
    CHECK_FALSE(loop.core().running());
    loop.post([&] { order += 'x'; });
    CHECK(turn_until(loop.core(), [&] { return order == "twx"; }));
  }
}

TEST_CASE("an errand", "[net][loop]") {
  std::string order;
  struct Noting final : net::Errand {
    explicit Noting(std::string& where) : text(where) {}
    void run() override { text += 'e'; }
    std::string& text;
  };
  auto loop = std::make_unique<EventLoop>();
  auto errand = std::make_shared<Noting>(order);
  const std::weak_ptr<Noting> watched = errand;

  SECTION("runs behind what was posted before it, also in the middle of a turn") {
    loop->post([&] {
      loop->post([&] { order += 'b'; });
      loop->core().post(*errand, errand);
    });
    loop->post([&] { order += 'a'; });
    CHECK(turn_until(loop->core(), [&] { return order == "abe"; }));
  }
  SECTION("that is on its way is not sent again, and can be later") {
    loop->core().post(*errand, errand);
    loop->core().post(*errand, errand);
    loop->run_for(0s);
    CHECK(order == "e");
    loop->core().post(*errand, errand);
    loop->run_for(0s);
    CHECK(order == "ee");
  }
  SECTION("outlives work that throws") {
    loop->post([] { throw std::runtime_error("the caller's"); });
    loop->core().post(*errand, errand);
    CHECK_THROWS(loop->run_for(1s));
    loop->run_for(0s);
    CHECK(order == "e");
  }
  SECTION("is let go with a loop that never ran it") {
    loop->core().post(*errand, errand);
    errand.reset();
    REQUIRE_FALSE(watched.expired());
    loop.reset();
    CHECK(watched.expired());
    CHECK(order.empty());
  }
}

TEST_CASE("a doomed call is reaped when none of its frames is on the stack", "[net][loop]") {
  Loop loop;
  bool reaped = false;
  bool too_early = false;
  Grave grave(loop, reaped);

  SECTION("doomed from its own coroutine") {
    Task<bool> task = digging(loop, grave, too_early);
    start(loop, task);
    CHECK(reaped);
    CHECK_FALSE(too_early);
    CHECK(grave.was_running);
  }
  SECTION("doomed between turns") {
    loop.doom(grave);
    CHECK_FALSE(reaped);
    loop.run_for(0s);
    CHECK(reaped);
  }
  SECTION("not at all when it is gone before") {
    {
      Grave brief(loop, reaped);
      loop.doom(brief);
    }
    loop.run_for(0s);
    CHECK_FALSE(reaped);
  }
}

TEST_CASE("a loop keeps something for each of its users", "[net][loop]") {
  auto kept = std::make_shared<int>(1);
  auto user = std::make_shared<int>(7);
  const auto other = std::make_shared<int>(8);
  {
    Loop loop;
    CHECK(loop.attachment(7) == nullptr);
    loop.attach(7, user, kept);
    CHECK(loop.attachment(7) == kept.get());
    CHECK(loop.attachment(8) == nullptr);
    SECTION("to its own end") {
      loop.attach(8, other, nullptr);
      CHECK(kept.use_count() == 2);
    }
    SECTION("no longer than the user is there, once others come") {
      user.reset();
      loop.attach(8, other, nullptr);
      CHECK(kept.use_count() == 1);
      CHECK(loop.attachment(7) == nullptr);
    }
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE("a loop's clock stands still during a turn and runs between turns", "[net][loop]") {
  Loop loop;
  const Time before = loop.now();
  loop.inside([&] {
    const Time first = loop.now();
    CHECK(first >= before);
    while (Clock::now() == first) {
    }
    CHECK(loop.now() == first);
    loop.inside([&] { CHECK(loop.now() == first); });
  });
  CHECK(loop.now() > before);
}

TEST_CASE("a loop turned inside another's turn leaves that one its thread", "[net][loop]") {
  Loop outer;
  Loop inner;
  outer.inside([&] {
    inner.run_for(0s);
    CHECK(outer.on_loop_thread());
    CHECK_FALSE(inner.on_loop_thread());
  });
  CHECK_FALSE(outer.on_loop_thread());
}

/// The coroutine of calls: lazy, owned, cancelled by destruction; its frames.
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <thread>

#include "net/frame_pool.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"
#include "support/run_task.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Loop;
using net::Task;

namespace {

/// Notes its end in a list of names.
struct Noted {
  Noted(std::string& ends, char mark) : list(ends), name(mark) {}
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
  ~Noted() { list.push_back(name); }
  std::string& list;
  char name;
};

Task<int> seven(bool& ran) {
  ran = true;
  co_return 7;
}

Task<int> twice(bool& ran) {
  const int a = co_await seven(ran);
  const int b = co_await seven(ran);
  co_return a + b;
}

Task<int> throwing() {
  throw std::runtime_error("out of luck");
  co_return 0;
}

Task<int> catching() {
  try {
    co_return co_await throwing();
  } catch (const std::runtime_error&) {
  }
  co_return 1;
}

Task<bool> sleeping(Loop& loop, std::string& ends, char name) {
  const Noted noted(ends, name);
  net::SleepUntil sleep(loop, never);
  co_await sleep;
  co_return true;
}

Task<bool> around(Loop& loop, std::string& ends) {
  const Noted noted(ends, 'o');
  const bool woken = co_await sleeping(loop, ends, 'i');
  co_return woken;
}

Task<bool> sleeping_until(Loop& loop, Time at) {
  net::SleepUntil sleep(loop, at);
  co_await sleep;
  co_return true;
}

}  // namespace

TEST_CASE("a task", "[net][task]") {
  const long frames = net::frames_live();
  Loop loop;
  bool ran = false;

  SECTION("does nothing until it is started") {
    { const Task<int> task = seven(ran); }
    CHECK_FALSE(ran);
  }
  SECTION("runs to its end, and the tasks it awaits with it") {
    CHECK(run(loop, twice(ran)) == 14);
  }
  SECTION("tells its owner of its end") {
    Task<int> task = twice(ran);
    bool told = false;
    loop.inside([&] { task.start([](void* flag) { *static_cast<bool*>(flag) = true; }, &told); });
    CHECK(told);
    CHECK(task.done());
    CHECK(task.result() == 14);
  }
  SECTION("hands an exception to who awaits it") {
    CHECK(run(loop, catching()) == 1);
    CHECK_THROWS_AS(run(loop, throwing()), std::runtime_error);
  }
  SECTION("destroyed while it waits, ends its frames innermost first") {
    std::string ends;
    Task<bool> task = around(loop, ends);
    start(loop, task);
    CHECK(ends.empty());
    task.reset();
    CHECK(ends == "io");
    CHECK_FALSE(task);
  }
  SECTION("moved, is the same task") {
    Task<int> one = seven(ran);
    Task<int> other = std::move(one);
    CHECK_FALSE(one);
    one = std::move(other);
    CHECK(run(loop, std::move(one)) == 7);
  }
  CHECK(net::frames_live() == frames);
}

TEST_CASE("frames", "[net][task]") {
  const long frames = net::frames_live();
  SECTION("come from the pool once warm") {
    void* first = net::take_frame(300);
    net::give_frame(first, 300);
    const std::size_t before = net::frames_allocated();
    void* second = net::take_frame(290);
    net::give_frame(second, 290);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(net::frames_allocated() == before);
#else
    CHECK(net::frames_allocated() == before + 1);  // the pool is off
#endif
  }
  SECTION("may be as large as they like") {
    void* large = net::take_frame(100'000);
    CHECK(net::frames_live() == frames + 1);
    net::give_frame(large, 100'000);
    CHECK(net::frames_live() == frames);
  }
  SECTION("may end on another thread") {
    bool ran = false;
    for (int i = 0; i < 1000; ++i) {
      Task<int> task = seven(ran);
      if (i % 100 == 0) {
        std::thread([moved = std::move(task)]() mutable { moved.reset(); }).join();
      }
    }
    std::vector<Task<int>> many;
    for (int i = 0; i < 1000; ++i) many.push_back(seven(ran));
    std::thread([&] { many.clear(); }).join();
    CHECK(net::frames_live() == frames + 1010);  // this thread's balance
  }
}

TEST_CASE("a link leaves its list when it ends", "[net][task]") {
  net::Link list;
  net::Link first;
  {
    net::Link second;
    list.push_back(first);
    list.push_back(second);
    CHECK(list.prev == &second);
    list.push_back(first);  // moves to the end
    CHECK(list.prev == &first);
  }
  CHECK(list.next == &first);
  first.unlink();
  CHECK_FALSE(list.linked());
}

TEST_CASE("a call may wander between threads while it waits", "[net][task]") {
  Loop loop;
  loop.borrow(true);
  Task<bool> task = sleeping_until(loop, loop.now() + std::chrono::milliseconds(5));
  std::thread([&] { start(loop, task); }).join();
  std::thread([&] { turn_until(loop, [&] { return task.done(); }); }).join();
  CHECK(task.done());
  std::thread([&] { task.reset(); }).join();
}

// The admission queue where turns are given out without memory: in the destructors of calls.
#include <catch2/catch.hpp>
#include <deque>
#include <llmroute/core/admission_queue.hpp>

#include "core/manual_time.hpp"
#include "faultinject/failing.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

struct Waiting {
  explicit Waiting(std::string_view tenant = {})
      : waiter([](void* self) { ++static_cast<Waiting*>(self)->woken; }, this, tenant) {}
  int woken = 0;
  AdmissionWaiter waiter;
};

int woken(const std::deque<Waiting>& line) {
  int count = 0;
  for (const Waiting& one : line) count += one.woken;
  return count;
}

}  // namespace

TEST_CASE("without memory a permit goes to the next, however long its tenant's name",
          "[faultinject]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 4});
  Permit permit = queue.try_enter();
  Waiting next("a tenant whose name needs memory");
  REQUIRE(queue.enqueue(next.waiter, time.now()));
  {
    const FailNth failing(Failing::allocations, HowOften::from_then_on, 1);
    permit = {};
  }
  CHECK(next.woken == 1);
  CHECK(next.waiter.claim(time.now()));
  CHECK(queue.depth() == 0);
  CHECK(queue.in_use() == 0);
}

TEST_CASE("without memory for its place a caller is not counted as waiting", "[faultinject]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 4});
  Permit permit = queue.try_enter();
  Waiting late;
  bool threw = false;
  try {
    const FailNth failing(Failing::allocations, HowOften::from_then_on, 1);
    (void)queue.enqueue(late.waiter, time.now());
  } catch (const std::bad_alloc&) {
    threw = true;
  }
  CHECK(threw);
  CHECK(queue.depth() == 0);
  permit = {};
  CHECK(queue.try_enter());
}

TEST_CASE("without memory one who sits on a turn keeps it", "[faultinject]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 4});
  Permit permit = queue.try_enter();
  Waiting stale("a tenant whose name needs memory");
  Waiting next;
  REQUIRE(queue.enqueue(stale.waiter, time.now()));
  REQUIRE(queue.enqueue(next.waiter, time.now()));
  permit.release(time.now());
  REQUIRE(stale.woken == 1);
  time.advance(AdmissionQueue::claim_time);
  {
    const FailNth failing(Failing::allocations, HowOften::from_then_on, 1);
    (void)next.waiter.claim(time.now());
  }
  CHECK(next.woken == 0);
  CHECK(stale.waiter.claim(time.now()));
}

TEST_CASE("without memory a long line is woken in part, and nobody in it is lost",
          "[faultinject]") {
  ManualTime time;
  const auto anyone = [](const AdmissionWaiter&) { return true; };
  AdmissionQueue queue;
  std::deque<Waiting> line(20);
  for (Waiting& one : line) REQUIRE(queue.park(one.waiter, 0, time.now()));
  queue.node_freed(anyone, time.now());
  {
    const FailNth failing(Failing::allocations, HowOften::from_then_on, 1);
    line.front().waiter.leave();
  }
  CHECK(woken(line) > 1);
  CHECK(woken(line) + static_cast<int>(queue.depth()) == 20);
  while (queue.depth() > 0) queue.node_freed(anyone, time.now());
  CHECK(woken(line) == 20);
}

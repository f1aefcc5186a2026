// Permits, and the line for them.
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "core/manual_time.hpp"
#include "core/waiting.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("without a limit everyone may run and is counted", "[core][admission]") {
  AdmissionQueue queue;
  std::vector<Permit> permits;
  for (int i = 0; i < 100; ++i) permits.push_back(queue.try_enter());
  CHECK(queue.in_use() == 100);
  CHECK(permits.back());
  permits.clear();
  CHECK(queue.in_use() == 0);
  CHECK(queue.max_queue_size() == 1024);
}

TEST_CASE("a permit", "[core][admission]") {
  AdmissionQueue queue({.max_concurrent_requests = 1});
  Permit permit = queue.try_enter();
  REQUIRE(permit);
  CHECK_FALSE(queue.try_enter());
  SECTION("comes back when it is destroyed") {
    { const Permit last = std::move(permit); }
    CHECK_FALSE(permit);
    CHECK(queue.try_enter());
  }
  SECTION("comes back when another is put in its place") {
    permit = Permit();
    CHECK(queue.in_use() == 0);
  }
  SECTION("comes back once") {
    permit.release(ManualTime().now());
    permit.release(ManualTime().now());
    CHECK(queue.in_use() == 0);
    CHECK(queue.try_enter());
  }
}

TEST_CASE("the line for permits", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 3});
  Permit permit = queue.try_enter();
  Waiting first("a");
  Waiting second("a");
  Waiting third("b");
  REQUIRE(queue.enqueue(first.waiter, time));
  REQUIRE(queue.enqueue(second.waiter, time));
  REQUIRE(queue.enqueue(third.waiter, time));
  CHECK(queue.depth() == 3);
  CHECK_FALSE(first.waiter.claim(time));

  SECTION("has an end") {
    Waiting late("b");
    CHECK_FALSE(queue.enqueue(late.waiter, time));
    CHECK(queue.depth() == 3);
  }
  SECTION("hands a permit on without letting anyone overtake") {
    permit.release(time);
    CHECK(first.woken == 1);
    CHECK(queue.in_use() == 1);
    CHECK_FALSE(queue.try_enter());
    Permit granted = first.waiter.claim(time);
    CHECK(granted);
    CHECK_FALSE(first.waiter.claim(time));
    granted.release(time);
    CHECK(third.woken == 1);  // the other tenant's turn
    CHECK(second.woken == 0);
  }
  SECTION("is left by a destructor") {
    auto gone = std::make_unique<Waiting>("c");
    second.waiter.leave();
    REQUIRE(queue.enqueue(gone->waiter, time));
    gone.reset();
    CHECK(queue.depth() == 2);
    permit.release(time);
    first.waiter.claim(time).release(time);
    CHECK(third.woken == 1);
    CHECK(second.woken == 0);
  }
  SECTION("passes on a permit whose waiter left before claiming it") {
    permit.release(time);
    REQUIRE(first.woken == 1);
    first.waiter.leave();
    CHECK(third.woken == 1);
    CHECK(third.waiter.claim(time));
  }
  SECTION("can be joined again") {
    first.waiter.leave();
    REQUIRE(queue.enqueue(first.waiter, time));
    CHECK(queue.depth() == 3);
    REQUIRE(queue.enqueue(first.waiter, time));  // from the end of it
    CHECK(queue.depth() == 3);
  }
  SECTION("is empty again when everyone has run") {
    permit.release(time);
    for (Waiting* next : {&first, &third, &second}) {
      REQUIRE(next->woken == 1);
      next->waiter.claim(time).release(time);
    }
    CHECK(queue.depth() == 0);
    CHECK(queue.in_use() == 0);
    CHECK(queue.try_enter());
  }
}

TEST_CASE("a queue of size zero refuses at once", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 0});
  Permit permit = queue.try_enter();
  Waiting waiting;
  CHECK_FALSE(queue.enqueue(waiting.waiter, time));
}

TEST_CASE("the queue's size is twice the limit unless told", "[core][admission]") {
  CHECK(AdmissionQueue({.max_concurrent_requests = 8}).max_queue_size() == 16);
  CHECK(AdmissionQueue({.max_concurrent_requests = 8, .max_queue_size = 5}).max_queue_size() == 5);
  CHECK(AdmissionQueue({.max_concurrent_requests = -1, .max_queue_size = -1}).max_queue_size() ==
        0);
}

TEST_CASE("one who lines up while a permit is free is granted it at once", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1});
  Waiting waiting;
  REQUIRE(queue.enqueue(waiting.waiter, time));
  CHECK(waiting.woken == 1);
  CHECK(queue.in_use() == 1);
  CHECK(waiting.waiter.claim(time));
}

TEST_CASE("higher priorities go first; fair_by = none ignores tenants", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue(
      {.max_concurrent_requests = 1, .max_queue_size = 9, .fair_by = FairBy::none});
  Permit permit = queue.try_enter();
  Waiting a1("a");
  Waiting a2("a");
  Waiting b("b");
  Waiting urgent("a", 1);
  for (Waiting* waiting : {&a1, &a2, &b, &urgent}) REQUIRE(queue.enqueue(waiting->waiter, time));
  for (Waiting* next : {&urgent, &a1, &a2, &b}) {
    permit.release(time);
    REQUIRE(next->woken == 1);
    permit = next->waiter.claim(time);
  }
}

TEST_CASE("a grant that nobody claims", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 9});
  Permit permit = queue.try_enter();
  Waiting stuck;
  Waiting next;
  Waiting last;
  for (Waiting* waiting : {&stuck, &next, &last}) REQUIRE(queue.enqueue(waiting->waiter, time));
  permit.release(time);
  REQUIRE(stuck.woken == 1);
  SECTION("goes on to the next after 50 ms, and the slow one stands first again") {
    time.advance(50ms - 1ns);
    Waiting other;
    REQUIRE(queue.enqueue(other.waiter, time));
    CHECK(next.woken == 0);
    other.waiter.leave();
    time.advance(1ns);
    REQUIRE(queue.enqueue(other.waiter, time));
    CHECK(next.woken == 1);
    CHECK_FALSE(stuck.waiter.claim(time));
    CHECK(queue.depth() == 3);
    next.waiter.claim(time).release(time);
    CHECK(stuck.woken == 2);
    CHECK(stuck.waiter.claim(time));
  }
  SECTION("stays where it is while nobody else waits") {
    next.waiter.leave();
    last.waiter.leave();
    time.advance(10s);
    CHECK(stuck.waiter.claim(time));
  }
  SECTION("is noticed when another claims or releases") {
    Permit granted = stuck.waiter.claim(time);
    granted.release(time);
    REQUIRE(next.woken == 1);
    time.advance(60ms);
    CHECK_FALSE(last.waiter.claim(time));  // looks, and finds it stale
    CHECK(last.woken == 1);
    CHECK(last.waiter.claim(time));
  }
}

TEST_CASE("a grant made at an unknown time is given its 50 ms from the next known one",
          "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 9});
  Permit permit = queue.try_enter();
  Waiting first;
  Waiting second;
  REQUIRE(queue.enqueue(first.waiter, time));
  REQUIRE(queue.enqueue(second.waiter, time));
  permit = Permit();  // no time given
  REQUIRE(first.woken == 1);
  time.advance(10s);
  Waiting third;
  REQUIRE(queue.enqueue(third.waiter, time));
  CHECK(second.woken == 0);
  time.advance(50ms);
  Waiting fourth;
  REQUIRE(queue.enqueue(fourth.waiter, time));
  CHECK(second.woken == 1);
}

TEST_CASE("a waiter that never waited has nothing to claim", "[core][admission]") {
  ManualTime time;
  Waiting waiting;
  CHECK_FALSE(waiting.waiter.claim(time));
  CHECK_FALSE(waiting.waiter.claim_node(time));
  waiting.waiter.leave();
}

TEST_CASE("in a forked child the parent's permits and waiters no longer count",
          "[core][admission][fork]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 5});
  Permit permit = queue.try_enter();
  auto waiting = std::make_unique<Waiting>();
  auto parked = std::make_unique<Waiting>();
  REQUIRE(queue.enqueue(waiting->waiter, time));
  REQUIRE(queue.park(parked->waiter, queue.nodes_freed(), time));
  queue.reset_after_fork();
  CHECK(queue.in_use() == 0);
  CHECK(queue.depth() == 0);
  Permit own = queue.try_enter();
  CHECK(own);
  permit.release(time);
  CHECK(queue.in_use() == 1);
  CHECK_FALSE(waiting->waiter.claim(time));
  CHECK_FALSE(parked->waiter.claim_node(time));
  waiting.reset();
  parked.reset();
  CHECK(queue.in_use() == 1);
}

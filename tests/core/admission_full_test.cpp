// A full queue: who makes room, and what those are told who do not get in.
#include <catch2/catch.hpp>
#include <deque>
#include <vector>

#include "core/manual_time.hpp"
#include "core/waiting.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("a full queue", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 3});
  Permit permit = queue.try_enter();
  Waiting high("a", 1);
  Waiting first("a");
  Waiting second("b");
  for (Waiting* waiting : {&high, &first, &second}) REQUIRE(queue.enqueue(waiting->waiter, time));

  SECTION("gives the place of the last of the lowest class to one of a higher") {
    Waiting urgent("c", 1);
    REQUIRE(queue.enqueue(urgent.waiter, time));
    CHECK(second.woken == 1);
    CHECK(second.waiter.shed());
    CHECK_FALSE(second.waiter.claim(time));
    CHECK_FALSE(first.waiter.shed());
    CHECK(queue.depth() == 3);
    for (Waiting* next : {&high, &urgent, &first}) {
      permit.release(time);
      permit = next->waiter.claim(time);
      CHECK(permit);
    }
    permit.release(time);
    CHECK(queue.in_use() == 0);
    CHECK_FALSE(second.waiter.claim(time));
  }
  SECTION("refuses one of the lowest class") {
    Waiting low("c", -1);
    CHECK_FALSE(queue.enqueue(low.waiter, time));
    Waiting alike("c");
    CHECK_FALSE(queue.enqueue(alike.waiter, time));
    CHECK_FALSE(alike.waiter.shed());
    CHECK(queue.depth() == 3);
  }
  SECTION("is left for good by those it has shed, who can come again") {
    auto urgent = std::make_unique<Waiting>("c", 1);
    REQUIRE(queue.enqueue(urgent->waiter, time));
    REQUIRE(second.waiter.shed());
    second.waiter.leave();
    CHECK_FALSE(second.waiter.shed());
    CHECK(queue.depth() == 3);
    urgent.reset();
    REQUIRE(queue.enqueue(second.waiter, time));
    CHECK_FALSE(second.waiter.shed());
  }
}

TEST_CASE("a tenant that fills the queue makes room for the others", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 4});
  Permit permit = queue.try_enter();
  std::deque<Waiting> flood;
  for (int i = 0; i < 4; ++i) REQUIRE(queue.enqueue(flood.emplace_back("a").waiter, time));
  Waiting more("a");
  CHECK_FALSE(queue.enqueue(more.waiter, time));
  Waiting b1("b");
  Waiting b2("b");
  Waiting b3("b");
  REQUIRE(queue.enqueue(b1.waiter, time));
  CHECK(flood[3].waiter.shed());
  REQUIRE(queue.enqueue(b2.waiter, time));
  CHECK(flood[2].waiter.shed());
  CHECK_FALSE(queue.enqueue(b3.waiter, time));  // two each: nobody has more than its share
}

TEST_CASE("without tenants only priorities make room", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue(
      {.max_concurrent_requests = 1, .max_queue_size = 2, .fair_by = FairBy::none});
  Permit permit = queue.try_enter();
  Waiting first("a");
  Waiting second("a");
  for (Waiting* waiting : {&first, &second}) REQUIRE(queue.enqueue(waiting->waiter, time));
  Waiting other("b");
  CHECK_FALSE(queue.enqueue(other.waiter, time));
  Waiting urgent("b", 1);
  CHECK(queue.enqueue(urgent.waiter, time));
  CHECK(second.waiter.shed());
}

TEST_CASE("both lines of a full queue make room", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 2});
  Permit permit = queue.try_enter();
  const int waiting_priority = GENERATE(0, 1);
  Waiting waiting("a", waiting_priority);
  Waiting parked("a", 1 - waiting_priority);
  REQUIRE(queue.enqueue(waiting.waiter, time));
  REQUIRE(queue.park(parked.waiter, queue.nodes_freed(), time));
  Waiting& lower = waiting_priority == 0 ? waiting : parked;
  Waiting& higher = waiting_priority == 0 ? parked : waiting;
  Waiting urgent("c", 2);
  SECTION("for one that waits for a permit") { REQUIRE(queue.enqueue(urgent.waiter, time)); }
  SECTION("for one that waits for a node") {
    REQUIRE(queue.park(urgent.waiter, queue.nodes_freed(), time));
    CHECK_FALSE(urgent.waiter.claim_node(time));
  }
  CHECK(lower.waiter.shed());
  CHECK(lower.woken == 1);
  CHECK_FALSE(lower.waiter.claim_node(time));
  CHECK_FALSE(higher.waiter.shed());
  CHECK(queue.depth() == 2);
}

TEST_CASE("of two lines the one with more of a tenant's makes room", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_queue_size = 3});
  Waiting first("a");
  Waiting second("a");
  Waiting other("b");
  for (Waiting* parked : {&first, &second, &other})
    REQUIRE(queue.park(parked->waiter, queue.nodes_freed(), time));
  Waiting newcomer("c");
  REQUIRE(queue.park(newcomer.waiter, queue.nodes_freed(), time));
  CHECK(second.waiter.shed());
}

TEST_CASE("a newcomer can ask how long it would wait", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 20});
  Permit permit = queue.try_enter();
  Waiting newcomer("b");
  Waiting urgent("b", 1);
  std::deque<Waiting> line;
  for (int i = 0; i < 10; ++i) REQUIRE(queue.enqueue(line.emplace_back("a").waiter, time));
  CHECK_FALSE(queue.expected_wait(newcomer.waiter, time));  // nothing is known yet
  for (std::size_t i = 0; i < 4; ++i) {
    time.advance(3s);
    permit.release(time);
    permit = line[i].waiter.claim(time);
  }
  CHECK(queue.expected_wait(newcomer.waiter, time) == Duration(3s));  // turns go round
  CHECK(queue.expected_wait(urgent.waiter, time) == Duration(0s));
  Waiting same("a");
  CHECK(queue.expected_wait(same.waiter, time) == Duration(18s));
  line.clear();
  time.advance(20s);
  CHECK(queue.expected_wait(newcomer.waiter, time) == Duration(0s));
}

TEST_CASE("a refused caller is told when to come back", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 40, .queue_timeout = 30s});
  CHECK(queue.retry_after(time) == 30s);  // nothing has moved yet
  std::deque<Waiting> line(40);
  Permit permit = queue.try_enter();
  for (Waiting& waiting : line) REQUIRE(queue.enqueue(waiting.waiter, time));
  for (std::size_t i = 0; i < 19; ++i) {  // two a second
    time.advance(500ms);
    permit.release(time);
    permit = line[i].waiter.claim(time);
    REQUIRE(permit);
  }
  CHECK(seconds(queue.retry_after(time)) == Approx(11).epsilon(0.15));  // 22 at two a second
  for (Waiting& waiting : line) waiting.waiter.leave();
  CHECK(queue.retry_after(time) == 1s);
}

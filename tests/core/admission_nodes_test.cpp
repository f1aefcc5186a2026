// The line of those who have a permit and wait for a node at its cap.
#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>

#include "core/manual_time.hpp"
#include "core/waiting.hpp"

using namespace llmroute;
using namespace llmroute::test;

TEST_CASE("the line for busy nodes", "[core][admission]") {
  ManualTime time;
  AdmissionQueue queue({.max_queue_size = 3});
  const auto anyone = [](const AdmissionWaiter&) { return true; };
  Waiting a({}, 0, "model-a");
  Waiting b({}, 0, "model-b");
  const std::uint64_t seen = queue.nodes_freed();
  REQUIRE(queue.park(a.waiter, seen, time));
  REQUIRE(queue.park(b.waiter, seen, time));
  CHECK(queue.depth() == 2);
  CHECK(b.waiter.model() == "model-b");

  SECTION("wakes the first that can use the node") {
    queue.node_freed([](const AdmissionWaiter& waiter) { return waiter.model() == "model-b"; },
                     time);
    CHECK(a.woken == 0);
    CHECK(b.woken == 1);
    CHECK_FALSE(a.waiter.claim_node(time));
    CHECK(b.waiter.claim_node(time));
    CHECK_FALSE(b.waiter.claim_node(time));
    CHECK(queue.depth() == 1);
  }
  SECTION("misses no node that was freed between the pick and the line") {
    queue.node_freed(anyone);
    REQUIRE(a.woken == 1);
    Waiting late({}, 0, "model-a");
    REQUIRE(queue.park(late.waiter, seen, time));
    CHECK(late.woken == 1);
    CHECK(late.waiter.claim_node(time));
  }
  SECTION("looks again, all of it, when nodes have changed") {
    queue.nodes_changed();
    CHECK(a.woken == 1);
    CHECK(b.woken == 1);
    CHECK(a.waiter.claim_node(time));
    CHECK(b.waiter.claim_node(time));
    Waiting late;
    REQUIRE(queue.park(late.waiter, seen, time));  // picked before the change
    CHECK(late.woken == 1);
  }
  SECTION("has an end, shared with the other line") {
    Waiting c;
    Waiting d;
    REQUIRE(queue.park(c.waiter, queue.nodes_freed(), time));
    CHECK_FALSE(queue.park(d.waiter, queue.nodes_freed(), time));
    CHECK_FALSE(queue.enqueue(d.waiter, time));
  }
  SECTION("is left by a destructor") {
    a.waiter.leave();
    queue.node_freed(anyone, time);
    CHECK(a.woken == 0);
    CHECK(b.woken == 1);
  }
  SECTION("lets a long line look again as well") {
    AdmissionQueue longer;
    std::deque<Waiting> line(20);
    for (Waiting& one : line) REQUIRE(longer.park(one.waiter, 0, time));
    longer.node_freed(anyone, time);
    REQUIRE(line.front().woken == 1);
    line.front().waiter.leave();
    CHECK(std::all_of(line.begin(), line.end(), [](const Waiting& one) { return one.woken == 1; }));
    CHECK(longer.depth() == 0);
  }
  SECTION("lets all look again when a turn went to waste") {
    queue.node_freed(anyone, time);
    REQUIRE(a.woken == 1);
    SECTION("because its waiter left") { a.waiter.leave(); }
    SECTION("because its waiter was not there for 50 ms") {
      time.advance(50ms);
      queue.node_freed([](const AdmissionWaiter&) { return false; }, time);
    }
    CHECK(b.woken == 1);
    CHECK(b.waiter.claim_node(time));
  }
  SECTION("costs nothing when nobody stands in it") {
    a.waiter.leave();
    b.waiter.leave();
    queue.node_freed(anyone, time);
    CHECK(queue.nodes_freed() == seen + 1);
  }
}

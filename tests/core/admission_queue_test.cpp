// Permits, the line for them, and the line for busy nodes.
#include <catch2/catch.hpp>
#include <deque>
#include <llmroute/core/admission_queue.hpp>
#include <llmroute/core/rng.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// One that waits and counts how often it was woken.
struct Waiting {
  explicit Waiting(std::string_view tenant = {}, int priority = 0, std::string_view model = {})
      : waiter([](void* self) { ++static_cast<Waiting*>(self)->woken; }, this, tenant, priority,
               model) {}
  int woken = 0;
  AdmissionWaiter waiter;
};

}  // namespace

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

namespace {

constexpr int limit = 3;
constexpr std::size_t places = 8;

/// A queue under random acts, and beside it what must be true of it.
struct Crowd {
  struct One {
    One(std::size_t its_number, std::string_view tenant, int priority)
        : number(its_number),
          lane(std::string(tenant) + char('0' + priority)),
          waiting(tenant, priority) {}
    std::size_t number;  // in order of arrival
    std::string lane;
    Waiting waiting;
  };

  explicit Crowd(unsigned seed) : rng(seed) {}

  void arrive() {
    if (Permit permit = queue.try_enter()) {
      REQUIRE(queue.depth() == 0);
      running.push_back(std::move(permit));
      return;
    }
    const char* tenants[] = {"a", "b", "c"};
    const auto priority = static_cast<int>(rng.below(3));
    auto next = std::make_unique<One>(++arrived, tenants[rng.below(3)], priority);
    const std::size_t before = queue.depth();
    const bool joined = queue.enqueue(next->waiting.waiter, time);
    REQUIRE((joined || before == places));
    if (joined) line.push_back(std::move(next));
    const std::size_t lost = remove_shed();
    REQUIRE(lost == (joined && before == places ? 1 : 0));
  }

  void end_one() {
    if (running.empty()) return;
    const std::size_t which = rng.below(static_cast<std::uint32_t>(running.size()));
    if (rng.below(2) == 0) running[which].release(time);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
  }

  /// Whoever was woken claims: the first of its lane, unless it let a turn pass.
  void claim() {
    for (std::size_t i = 0; i < line.size();) {
      Permit permit = line[i]->waiting.waiter.claim(time);
      if (!permit) {
        ++i;
        continue;
      }
      const std::size_t number = line[i]->number;
      if (on_time) REQUIRE(number > served[line[i]->lane]);
      served[line[i]->lane] = number;
      running.push_back(std::move(permit));
      REQUIRE_FALSE(line[i]->waiting.waiter.claim(time));
      line.erase(line.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void leave() {
    if (line.empty()) return;
    const std::size_t which = rng.below(static_cast<std::uint32_t>(line.size()));
    line.erase(line.begin() + static_cast<std::ptrdiff_t>(which));
  }

  std::size_t remove_shed() {
    return std::erase_if(line, [](const auto& one) { return one->waiting.waiter.shed(); });
  }

  void check() {
    REQUIRE(running.size() <= limit);
    REQUIRE(queue.in_use() <= limit);
    REQUIRE(queue.in_use() >= running.size());
    REQUIRE(queue.depth() <= places);
    REQUIRE(line.size() == queue.depth() + queue.in_use() - running.size());  // nobody is lost
    if (queue.depth() > 0) REQUIRE(queue.in_use() == limit);  // nobody waits beside a free permit
  }

  void finish() {
    while (!line.empty() || !running.empty()) {
      claim();
      running.clear();
    }
    CHECK(queue.in_use() == 0);
    CHECK(queue.depth() == 0);
  }

  Rng rng;
  ManualTime time;
  AdmissionQueue queue{{.max_concurrent_requests = limit, .max_queue_size = places}};
  std::vector<Permit> running;
  std::vector<std::unique_ptr<One>> line;  // in order of arrival
  std::map<std::string, std::size_t> served;
  std::size_t arrived = 0;
  bool on_time = true;  // everybody claims before the next thing happens
};

}  // namespace

TEST_CASE("whatever happens, nobody is lost, nobody runs twice, lanes keep their order",
          "[core][admission][property]") {
  const auto seed = GENERATE(range(1U, 31U));
  CAPTURE(seed);
  Crowd crowd(seed);
  for (int step = 0; step < 2000; ++step) {
    crowd.time.advance(std::chrono::milliseconds(crowd.rng.below(30)));
    const std::uint32_t act = crowd.rng.below(10);
    if (act < 5) {
      crowd.arrive();
    } else if (act < 9) {
      crowd.end_one();
    } else {
      crowd.leave();
    }
    crowd.claim();
    crowd.check();
  }
  crowd.finish();
}

TEST_CASE("permits are neither lost nor made though turns are claimed late or never",
          "[core][admission][property]") {
  const auto seed = GENERATE(range(1U, 31U));
  CAPTURE(seed);
  Crowd crowd(seed);
  crowd.on_time = false;
  for (int step = 0; step < 2000; ++step) {
    crowd.time.advance(std::chrono::milliseconds(crowd.rng.below(30)));
    const std::uint32_t act = crowd.rng.below(10);
    if (act < 5) {
      crowd.arrive();
    } else if (act < 8) {
      crowd.end_one();
    } else if (act < 9) {
      crowd.leave();
    } else {
      crowd.claim();
    }
    crowd.check();
  }
  crowd.finish();
}

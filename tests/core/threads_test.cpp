// Many loops at once on the objects they share. Run under the thread sanitizer; every check here
// also holds without it.
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <llmroute/core/admission_queue.hpp>
#include <mutex>
#include <thread>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

/// A waiting side of its own: what a loop's post() does for the router.
struct Sleeper {
  explicit Sleeper(std::string_view tenant, int priority = 0)
      : waiter([](void* self) { static_cast<Sleeper*>(self)->wake(); }, this, tenant, priority) {}

  void wake() {
    const std::lock_guard guard(mutex);
    woken = true;
    changed.notify_one();
  }
  void sleep() {
    std::unique_lock guard(mutex);
    changed.wait(guard, [&] { return woken; });
    woken = false;
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  AdmissionWaiter waiter;  // last: its destructor waits for callbacks that use the others
};

template <class F>
void on_threads(int count, F&& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread& thread : threads) thread.join();
}

constexpr int rounds = 2000;

}  // namespace

TEST_CASE("threads never run more than the limit, and all of them get their turns",
          "[core][admission][threads]") {
  AdmissionQueue queue({.max_concurrent_requests = 2, .max_queue_size = 100});
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  on_threads(6, [&](int thread) {
    const std::string tenant(1, static_cast<char>('a' + thread % 3));
    ManualTime time;  // stands still: no grant grows stale
    for (int i = 0; i < rounds; ++i) {
      Sleeper sleeper(tenant);
      Permit permit = queue.try_enter();
      if (!permit) {
        if (!queue.enqueue(sleeper.waiter, time)) continue;
        if (i % 5 == 0) continue;  // gives up at once, perhaps while it is being granted
        while (!(permit = sleeper.waiter.claim(time))) sleeper.sleep();
      }
      const int now = ++running;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();  // lets the others run into the limit
      --running;
      ++done;
      if (i % 2 == 0) permit.release(time);
    }
  });
  CHECK(most <= 2);
  CHECK(done > rounds);
  CHECK(queue.in_use() == 0);
  CHECK(queue.depth() == 0);
}

TEST_CASE("threads whose place in a full queue is taken learn of it",
          "[core][admission][threads]") {
  AdmissionQueue queue({.max_concurrent_requests = 1, .max_queue_size = 2});
  std::atomic<int> running{0};
  std::atomic<int> done{0};
  std::atomic<int> shed{0};
  std::atomic<int> overlaps{0};
  on_threads(6, [&](int thread) {
    ManualTime time;
    for (int i = 0; i < rounds / 4; ++i) {
      Sleeper sleeper({}, thread % 3);
      Permit permit = queue.try_enter();
      while (!permit && !queue.enqueue(sleeper.waiter, time)) std::this_thread::yield();
      while (!permit && !sleeper.waiter.shed()) {
        permit = sleeper.waiter.claim(time);
        if (!permit && !sleeper.waiter.shed()) sleeper.sleep();
      }
      if (!permit) {
        ++shed;
        continue;
      }
      if (++running > 1) ++overlaps;
      std::this_thread::yield();
      --running;
      ++done;
    }
  });
  CHECK(done + shed == 6 * (rounds / 4));
  CHECK(overlaps == 0);
  CHECK(queue.in_use() == 0);
  CHECK(queue.depth() == 0);
}

TEST_CASE("no parked waiter is forgotten when slots come free", "[core][admission][threads]") {
  AdmissionQueue queue;
  std::atomic<int> slots{2};  // of one node that can take two calls
  std::atomic<int> done{0};
  const auto take_slot = [&] {
    int free = slots.load();
    while (free > 0) {
      if (slots.compare_exchange_weak(free, free - 1)) return true;
    }
    return false;
  };
  on_threads(5, [&](int) {
    ManualTime time;
    for (int i = 0; i < rounds; ++i) {
      Sleeper sleeper("t");
      for (;;) {
        const std::uint64_t seen = queue.nodes_freed();
        if (take_slot()) break;
        if (!queue.park(sleeper.waiter, seen, time)) continue;
        while (!sleeper.waiter.claim_node(time)) sleeper.sleep();
      }
      std::this_thread::yield();
      ++done;
      ++slots;
      queue.node_freed([](const AdmissionWaiter&) { return true; }, time.now());
    }
  });
  CHECK(done == 5 * rounds);
  CHECK(queue.depth() == 0);
}

TEST_CASE("loops pick, membership changes, breakers open and close, all at once",
          "[core][pool][threads]") {
  std::vector<NodeConfig> nodes = plain_nodes(6);
  nodes[0].max_concurrent_requests = 1;
  nodes[0].api_keys = {"one", "two"};
  std::atomic<int> changes{0};
  PoolOptions options;
  options.on_change = [&](const NodeChange&) { ++changes; };
  options.on_slot_free = [&](const Node&) { ++changes; };
  options.health.min_success_rate = 0.3;
  options.all_down = AllDown::least_bad;
  const ManualTime start;
  NodePool pool(options, nodes, {{.name = "alias", .model_id = "m"}}, 1, start);
  std::atomic<std::int64_t> clock_ms{0};
  const auto now = [&] { return start.now() + std::chrono::milliseconds(clock_ms.load()); };
  const std::unique_ptr<Strategy> strategy = make_strategy("p2c");
  std::atomic<bool> stop{false};
  std::atomic<int> picked_in_all{0};

  std::thread operator_thread([&] {
    Rng rng(5);
    while (!stop) {
      NodeConfig extra = plain_nodes(7).back();
      const std::shared_ptr<const Node> known = pool.find("a");
      const NodeId a = known->id();
      pool.add(extra, now());
      pool.drain("b", rng.below(2) == 0);
      pool.probe_result("c", rng.below(2) == 0, now());
      pool.mark_absent(a, "m", now() + 5ms, now());
      pool.rest_key(a, known->keys()[rng.below(2)]->id(), "m", now() + 5ms);
      extra.weight = 2;
      pool.update(extra, now());
      pool.snapshot(now());
      pool.remove("g", now());
      std::this_thread::yield();
    }
  });
  on_threads(4, [&](int thread) {
    NodePool::Reader reader(pool);
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < rounds; ++i) {
      PickRequest request;
      request.model = i % 2 == 0 ? "m" : "alias";
      PickOutcome picked = reader.acquire(*strategy, request, "/v1/x", {}, rng, now());
      clock_ms += 1;
      if (!picked) continue;
      ++picked_in_all;
      if (i % 8 == 0) std::this_thread::yield();
      const std::uint32_t fate = rng.below(4);
      if (fate == 0) continue;
      const bool bad = fate == 1 && picked.ticket.node().name() < "d";
      const Outcome outcome =
          bad ? Outcome::of(FailureKind::server_error, 1ms, true) : Outcome{.latency = 1ms};
      picked.ticket.record(outcome, now());
    }
  });
  stop = true;
  operator_thread.join();
  CHECK(picked_in_all > rounds);
  CHECK(pool.in_flight() == 0);
  for (const auto& node : pool.nodes()) CHECK(node->stats().in_flight == 0);
}

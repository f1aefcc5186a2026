// Random acts on an admission queue, and what must hold after each.
#include <catch2/catch.hpp>
#include <llmroute/core/rng.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/manual_time.hpp"
#include "core/waiting.hpp"

using namespace llmroute;
using namespace llmroute::test;

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

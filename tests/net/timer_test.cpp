/// Timers: in order, each once, gone with their owner.
#include <catch2/catch.hpp>
#include <llmroute/core/rng.hpp>
#include <memory>
#include <vector>

#include "net/loop.hpp"
#include "support/run_task.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;
using net::Loop;
using net::Timer;

namespace {

struct Alarm {
  Timer timer{};
  Time at{};
  std::vector<Time>* fired = nullptr;
  static void ring(void* self) {
    auto* alarm = static_cast<Alarm*>(self);
    alarm->fired->push_back(alarm->at);
  }
};

}  // namespace

TEST_CASE("timers fire in order whatever the order they were armed, moved and dropped in",
          "[net][timer]") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  Rng rng(seed);
  Loop loop;
  std::vector<Time> fired;
  std::vector<std::unique_ptr<Alarm>> alarms;
  const Time start = loop.now();
  const auto some_time = [&] { return start - 1s + std::chrono::microseconds(rng() % 1'000'000); };
  for (int i = 0; i < 500; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    alarms.back()->fired = &fired;
  }
  for (int i = 0; i < 2000; ++i) {
    Alarm& alarm = *alarms[rng() % alarms.size()];
    if (rng() % 4 == 0) {
      alarm.timer.disarm();
      CHECK_FALSE(alarm.timer.armed());
      continue;
    }
    alarm.at = some_time();
    alarm.timer.arm(loop, alarm.at, &Alarm::ring, &alarm);
    CHECK(alarm.timer.at() == alarm.at);
  }
  alarms.resize(400);  // the others go with their timers armed
  std::size_t armed = 0;
  for (const auto& alarm : alarms) armed += alarm->timer.armed() ? 1 : 0;
  REQUIRE(turn_until(loop, [&] { return fired.size() >= armed; }));
  CHECK(fired.size() == armed);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}

TEST_CASE("a timer", "[net][timer]") {
  Loop loop;
  std::vector<Time> fired;
  Alarm alarm;
  alarm.fired = &fired;

  SECTION("does not fire early") {
    alarm.at = loop.now() + 3ms;
    alarm.timer.arm(loop, alarm.at, &Alarm::ring, &alarm);
    REQUIRE(turn_until(loop, [&] { return !fired.empty(); }));
    CHECK(loop.now() >= alarm.at);
    CHECK_FALSE(alarm.timer.armed());
  }
  SECTION("may be destroyed and armed again by its own callback") {
    struct Once {
      Loop& loop;
      std::unique_ptr<Timer> timer;
      int rings = 0;
      static void ring(void* self) {
        auto* once = static_cast<Once*>(self);
        if (++once->rings < 3) {
          once->timer = std::make_unique<Timer>();
          once->timer->arm(once->loop, once->loop.now(), &Once::ring, once);
        }
      }
    } once{loop, std::make_unique<Timer>()};
    once.timer->arm(loop, loop.now(), &Once::ring, &once);
    REQUIRE(turn_until(loop, [&] { return once.rings == 3; }));
  }
  SECTION("outlives its loop unharmed") {
    {
      Loop brief;
      alarm.timer.arm(brief, never, &Alarm::ring, &alarm);
    }
    CHECK_FALSE(alarm.timer.armed());
    alarm.timer.arm(loop, loop.now(), &Alarm::ring, &alarm);
    CHECK(turn_until(loop, [&] { return fired.size() == 1; }));
  }
}

// The circuit breaker against each promise it makes.
#include <catch2/catch.hpp>
#include <llmroute/core/circuit_breaker.hpp>
#include <llmroute/core/rng.hpp>
#include <vector>

#include "core/manual_time.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

void fail(CircuitBreaker& breaker, int times, Time now) {
  for (int i = 0; i < times; ++i) breaker.record(Verdict::failure, now);
}

using State = BreakerState;

}  // namespace

TEST_CASE("a closed breaker", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker;
  CHECK(breaker.state(time) == State::closed);
  CHECK(breaker.retry_at() == Time::min());
  SECTION("admits everyone") {
    for (int i = 0; i < 100; ++i) CHECK(breaker.try_enter(time));
  }
  SECTION("opens at three failures in a row") {
    fail(breaker, 2, time);
    CHECK(breaker.state(time) == State::closed);
    CHECK(breaker.record(Verdict::failure, time));
    CHECK(breaker.state(time) == State::open);
    CHECK(breaker.opened() == 1);
    CHECK(breaker.retry_at() == time.now() + 5s);
  }
  SECTION("counts anew after a success") {
    CircuitBreaker no_rate({.failure_rate = 0});
    fail(no_rate, 2, time);
    no_rate.record(Verdict::success, time);
    fail(no_rate, 2, time);
    CHECK(no_rate.state(time) == State::closed);
  }
  SECTION("opens at half of five results") {
    for (const Verdict verdict :
         {Verdict::failure, Verdict::success, Verdict::failure, Verdict::success}) {
      CHECK_FALSE(breaker.record(verdict, time));
    }
    CHECK(breaker.record(Verdict::failure, time));
    CHECK(breaker.state(time) == State::open);
  }
  SECTION("does not open for failures that are spread over more than its window") {
    for (int i = 0; i < 50; ++i) {
      breaker.record(i % 2 == 0 ? Verdict::failure : Verdict::success, time);
      time.advance(2600ms);  // at most four of them in 10 s
    }
    CHECK(breaker.state(time) == State::closed);
  }
}

TEST_CASE("a lone failure is no rate", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker({.consecutive_failures = 0, .failure_rate = 0.5, .min_requests = 1});
  CHECK_FALSE(breaker.record(Verdict::failure, time));
  CHECK(breaker.state(time) == State::closed);
  CHECK(breaker.record(Verdict::failure, time));
}

TEST_CASE("each rule can be switched off", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker({.consecutive_failures = 0, .failure_rate = 0});
  fail(breaker, 1000, time);
  CHECK(breaker.state(time) == State::closed);
}

TEST_CASE("a breaker that opened", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker{{.consecutive_failures = 3, .open = 5s, .half_open_probes = 1}};
  const auto early = breaker.try_enter(time);
  fail(breaker, 3, time);
  SECTION("admits nothing until its open time is over") {
    time.advance(5s - 1ns);
    CHECK_FALSE(breaker.try_enter(time));
    CHECK_FALSE(breaker.admits(time));
    time.advance(1ns);
    CHECK(breaker.state(time) == State::half_open);
    CHECK(breaker.try_enter(time));
  }
  SECTION("is not shortened, lengthened or closed by results from before") {
    const Time retry_at = breaker.retry_at();
    time.advance(1s);
    CHECK_FALSE(breaker.record(*early, Verdict::failure, time));
    CHECK(breaker.retry_at() == retry_at);
    CHECK_FALSE(breaker.record(*early, Verdict::success, time));
    CHECK(breaker.state(time) == State::open);
  }
  SECTION("lets one probe at a time in when half-open") {
    time.advance(5s);
    const auto probe = breaker.try_enter(time);
    REQUIRE(probe);
    CHECK(probe->kind == CircuitBreaker::Pass::Kind::probe);
    CHECK(probe->first_probe);
    CHECK_FALSE(breaker.try_enter(time));
    SECTION("and the next one when that was abandoned") {
      breaker.abandon(*probe);
      const auto next = breaker.try_enter(time);
      REQUIRE(next);
      CHECK_FALSE(next->first_probe);
    }
    SECTION("and late results do not free its slot") {
      breaker.abandon(*early);
      breaker.record(*early, Verdict::failure, time);
      CHECK_FALSE(breaker.try_enter(time));
    }
    SECTION("and closes on its success") {
      CHECK(breaker.record(*probe, Verdict::success, time));
      CHECK(breaker.state(time) == State::closed);
      CHECK(breaker.try_enter(time));
      fail(breaker, 2, time);
      CHECK(breaker.state(time) == State::closed);
    }
    SECTION("and opens for twice as long on its failure") {
      CHECK(breaker.record(*probe, Verdict::failure, time));
      CHECK(breaker.state(time) == State::open);
      CHECK(breaker.retry_at() == time.now() + 10s);
      CHECK(breaker.opened() == 2);
    }
  }
}

TEST_CASE("the wait of a breaker can be ended", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker({.open = 5s});
  CHECK_FALSE(breaker.end_wait(time));  // it is closed
  fail(breaker, 3, time);
  CHECK(breaker.end_wait(time));
  CHECK(breaker.state(time) == State::half_open);
  CHECK_FALSE(breaker.end_wait(time));
  const auto probe = breaker.try_enter(time);
  REQUIRE(probe);
  CHECK_FALSE(breaker.try_enter(time));
  SECTION("and its next open time grows all the same when the probe fails") {
    breaker.record(*probe, Verdict::failure, time);
    CHECK(breaker.retry_at() == time.now() + 10s);
  }
  SECTION("and it closes when the probe is well") {
    breaker.record(*probe, Verdict::success, time);
    CHECK(breaker.state(time) == State::closed);
  }
}

TEST_CASE("a breaker with several probes", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker{{.half_open_probes = 3}};
  fail(breaker, 3, time);
  time.advance(5s);
  std::vector<CircuitBreaker::Pass> probes;
  for (int i = 0; i < 3; ++i) probes.push_back(*breaker.try_enter(time));
  CHECK_FALSE(breaker.try_enter(time));
  SECTION("ignores the others once one has decided") {
    CHECK(breaker.record(probes[0], Verdict::failure, time));
    CHECK_FALSE(breaker.record(probes[1], Verdict::success, time));
    CHECK(breaker.state(time) == State::open);
    CHECK(breaker.retry_at() == time.now() + 10s);
  }
  SECTION("takes a result without a pass for a probe's") {
    CHECK(breaker.record(Verdict::success, time));
    CHECK(breaker.state(time) == State::closed);
  }
}

TEST_CASE("open times", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker;
  fail(breaker, 3, time);
  std::vector<Duration> waits;
  const auto fail_a_probe = [&] {
    time.advance(breaker.retry_at() - time.now());
    breaker.record(*breaker.try_enter(time), Verdict::failure, time);
    return breaker.retry_at() - time.now();
  };
  for (int i = 0; i < 6; ++i) waits.push_back(fail_a_probe());
  SECTION("double up to the longest") {
    CHECK(waits == std::vector<Duration>{10s, 20s, 40s, 60s, 60s, 60s});
  }
  SECTION("go on growing when it fails again soon after closing") {
    time.advance(60s);
    breaker.record(*breaker.try_enter(time), Verdict::success, time);
    time.advance(59s);
    fail(breaker, 3, time);
    CHECK(breaker.retry_at() - time.now() == 60s);
  }
  SECTION("start small again after it has stayed well for as long as it was open") {
    time.advance(60s);
    breaker.record(*breaker.try_enter(time), Verdict::success, time);
    time.advance(60s);
    fail(breaker, 3, time);
    CHECK(breaker.retry_at() - time.now() == 5s);
  }
}

TEST_CASE("a forced pass", "[core][breaker]") {
  ManualTime time;
  CircuitBreaker breaker;
  CHECK(breaker.enter_anyway(time).kind == CircuitBreaker::Pass::Kind::normal);
  fail(breaker, 3, time);
  const CircuitBreaker::Pass pass = breaker.enter_anyway(time);
  CHECK(pass.kind == CircuitBreaker::Pass::Kind::forced);
  SECTION("closes the breaker when it succeeds") {
    CHECK(breaker.record(pass, Verdict::success, time));
    CHECK(breaker.state(time) == State::closed);
  }
  SECTION("changes nothing when it fails") {
    const Time retry_at = breaker.retry_at();
    CHECK_FALSE(breaker.record(pass, Verdict::failure, time));
    CHECK(breaker.retry_at() == retry_at);
    CHECK_FALSE(breaker.record(Verdict::failure, time));  // the same without a pass
  }
  SECTION("is a probe when half-open") {
    time.advance(5s);
    CHECK(breaker.enter_anyway(time).kind == CircuitBreaker::Pass::Kind::probe);
    CHECK(breaker.enter_anyway(time).kind == CircuitBreaker::Pass::Kind::forced);
  }
}

TEST_CASE("in a forked child a breaker keeps its state and frees its probes",
          "[core][breaker][fork]") {
  ManualTime time;
  CircuitBreaker breaker;
  fail(breaker, 3, time);
  time.advance(5s);
  const auto probe = breaker.try_enter(time);
  breaker.reset_after_fork();
  CHECK(breaker.state(time) == State::half_open);
  CHECK(breaker.try_enter(time));
  CHECK_FALSE(breaker.record(*probe, Verdict::success, time));
}

TEST_CASE("whatever happens, a breaker keeps its promises", "[core][breaker][property]") {
  const auto seed = GENERATE(range(1U, 31U));
  CAPTURE(seed);
  Rng rng(seed);
  ManualTime time;
  CircuitBreaker breaker{{.half_open_probes = 2}};
  std::vector<CircuitBreaker::Pass> out;
  Time retry_at = Time::min();
  for (int step = 0; step < 2000; ++step) {
    time.advance(std::chrono::milliseconds(rng.below(1500)));
    const State before = breaker.state(time);
    if (out.empty() || rng.below(2) == 0) {
      const auto pass = breaker.try_enter(time);
      if (before == State::open) REQUIRE_FALSE(pass);
      if (before == State::closed) REQUIRE(pass);
      if (pass) out.push_back(*pass);
    } else {
      const std::size_t which = rng.below(static_cast<std::uint32_t>(out.size()));
      const CircuitBreaker::Pass pass = out[which];
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(which));
      const std::uint32_t fate = rng.below(3);
      if (fate == 0) breaker.abandon(pass);
      if (fate == 1) breaker.record(pass, Verdict::success, time);
      if (fate == 2) breaker.record(pass, Verdict::failure, time);
      if (before == State::open)
        REQUIRE(breaker.state(time) == State::open);  // only passes from before
    }
    std::size_t probes = 0;
    for (const auto& pass : out) probes += pass.kind == CircuitBreaker::Pass::Kind::probe ? 1 : 0;
    if (breaker.state(time) == State::half_open && probes < 2) REQUIRE(breaker.admits(time));
    if (breaker.state(time) == State::open) {
      REQUIRE(breaker.retry_at() >= retry_at);  // never shortened
      REQUIRE(breaker.retry_at() - time.now() <= 60s);
      retry_at = breaker.retry_at();
    }
  }
}

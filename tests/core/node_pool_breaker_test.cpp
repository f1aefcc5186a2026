// Breakers, resting keys and caps: who may be asked right now.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

std::vector<NodeConfig> two_models_each(int count) {
  std::vector<NodeConfig> nodes = plain_nodes(count);
  for (NodeConfig& node : nodes) node.models = {"m", "n"};
  return nodes;
}

}  // namespace

TEST_CASE("a pair that fails is left out, its node's other models are not",
          "[core][pool][breaker]") {
  PoolFixture f(two_models_each(2));
  f.fail("a", FailureKind::server_error, 3);
  CHECK(f.picks(4, "m") == Picks{{"b", 4}});
  CHECK(f.picks(4, "n") == Picks{{"a", 2}, {"b", 2}});
  CHECK(f.events == Names{"breaker_opened a m"});
}

TEST_CASE("a node that cannot be connected to is left out for all models",
          "[core][pool][breaker]") {
  PoolFixture f(two_models_each(2));
  f.fail("a", FailureKind::connect, 3);
  CHECK(f.picks(4, "m") == Picks{{"b", 4}});
  CHECK(f.picks(4, "n") == Picks{{"b", 4}});
  CHECK(f.events == Names{"breaker_opened a", "breaker_opened a m"});
}

TEST_CASE("what blames nobody opens nothing", "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(1));
  const FailureKind kind =
      GENERATE(FailureKind::rate_limited, FailureKind::rejected, FailureKind::auth,
               FailureKind::cancelled, FailureKind::model_not_found);
  f.fail("a", kind, 20);
  CHECK(f.name() == "a");
  CHECK(f.events.empty());
}

TEST_CASE("an attempt without a verdict blames nobody", "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(1));
  for (int i = 0; i < 20; ++i) f.pick();
  CHECK(f.name() == "a");
  CHECK(f.pool.in_flight() == 0);
}

TEST_CASE("any answer proves the connection good", "[core][pool][breaker]") {
  PoolFixture f(two_models_each(1), {.breaker = {.failure_rate = 0}});
  f.fail("a", FailureKind::connect, 2, "m");
  f.fail("a", FailureKind::server_error, 1, "n");
  f.fail("a", FailureKind::connect, 2, "n");
  CHECK(f.status("a").breaker == BreakerState::open);  // the pair (a, n)
  CHECK(f.name("m") == "a");                           // not the node
}

TEST_CASE("a node that comes back", "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(2));
  f.fail("a", FailureKind::server_error, 3);
  f.time.advance(5s);
  PickOutcome probe = f.pick("m", {f.id("b")});
  REQUIRE(probe.ticket.node().name() == "a");
  CHECK(f.events.back() == "breaker_half_open a m");
  SECTION("is asked once at a time") {
    CHECK(f.picks(10) == Picks{{"b", 10}});
    SECTION("again when that attempt was abandoned") {
      probe.ticket = {};
      CHECK(f.pick("m", {f.id("b")}).ticket.node().name() == "a");
      CHECK(f.events.size() == 2);
    }
  }
  SECTION("is asked like the others when that went well") {
    probe.ticket.record(Outcome{.latency = 1s}, f.time);
    CHECK(f.events.back() == "breaker_closed a m");
    CHECK(f.picks(10) == Picks{{"a", 5}, {"b", 5}});
  }
  SECTION("is left out for longer when it failed") {
    probe.ticket.record(Outcome::of(FailureKind::server_error, 1s, true), f.time);
    CHECK(f.events.back() == "breaker_opened a m");
    f.time.advance(10s - 1ns);
    CHECK(f.picks(4) == Picks{{"b", 4}});
    f.time.advance(1ns);
    CHECK(f.pick("m", {f.id("b")}));
  }
  SECTION("is left in doubt by a refusal that blames nobody") {
    probe.ticket.record(Outcome::of(FailureKind::rate_limited, 1s, true), f.time);
    CHECK(f.status("a").breaker == BreakerState::half_open);
    CHECK(f.pick("m", {f.id("b")}));
  }
}

TEST_CASE("a node that could not be connected to closes both breakers with one good answer",
          "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(1));
  f.fail("a", FailureKind::connect, 3);
  f.time.advance(5s);
  f.end("a", Outcome{.latency = 1s});
  CHECK(f.events == Names{"breaker_opened a", "breaker_opened a m", "breaker_half_open a",
                          "breaker_half_open a m", "breaker_closed a", "breaker_closed a m"});
  CHECK(f.status("a").breaker == BreakerState::closed);
  CHECK(f.status("a").weight == Approx(0.1));  // slow start
}

TEST_CASE("a probe that reaches a node ends the wait of its breakers", "[core][pool][breaker]") {
  PoolFixture f(two_models_each(2), {.breaker = {.open = 60s}});
  SECTION("when it could not be connected to") {
    f.fail("a", FailureKind::connect, 3);
    f.pool.probe_result("a", false, f.time);
    CHECK(f.picks(4, "m") == Picks{{"b", 4}});
    f.pool.probe_result("a", true, f.time);
    CHECK(f.status("a").breaker == BreakerState::half_open);
    CHECK(f.name("m", f.all_but("a")) == "a");
    SECTION("and no longer than until it fails again") {
      f.fail("a", FailureKind::connect, 1);
      CHECK(f.status("a").breaker == BreakerState::open);
      CHECK(f.picks(4, "m") == Picks{{"b", 4}});
    }
  }
  SECTION("when it was thought dead") {
    f.fail("a", FailureKind::server_error, 3);
    for (int i = 0; i < 3; ++i) f.pool.probe_result("a", false, f.time);
    for (int i = 0; i < 2; ++i) f.pool.probe_result("a", true, f.time);
    CHECK(f.picks(4, "m") == Picks{{"b", 4}});
    f.pool.probe_result("a", true, f.time);
    CHECK(f.name("m", f.all_but("a")) == "a");
  }
  SECTION("but not when it was there all the time, and one of its models fails") {
    f.fail("a", FailureKind::server_error, 3);
    f.pool.probe_result("a", true, f.time);
    CHECK(f.picks(4, "m") == Picks{{"b", 4}});
  }
}

TEST_CASE("when all breakers are open", "[core][pool][breaker]") {
  const AllDown all_down = GENERATE(AllDown::fail_fast, AllDown::wait, AllDown::least_bad);
  const int nodes = GENERATE(1, 2);
  PoolFixture f(plain_nodes(nodes), {.all_down = all_down});
  f.fail("a", FailureKind::server_error, 3);
  f.time.advance(1s);
  if (nodes == 2) f.fail("b", FailureKind::server_error, 3);
  const PickOutcome picked = f.pick();
  if (all_down == AllDown::least_bad) {
    CHECK(picked);
  } else {
    CHECK(picked.miss == PickMiss::all_down);
    CHECK(picked.retry_at == f.time.now() + 4s);  // the first of them
    f.time.advance(4s);
    CHECK(f.name() == "a");
  }
}

TEST_CASE("the least bad are those whose connection works", "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(2), {.all_down = AllDown::least_bad});
  f.fail("a", FailureKind::connect, 3);
  f.fail("b", FailureKind::server_error, 3);
  CHECK(f.picks(4) == Picks{{"b", 4}});
  SECTION("and one of them that answers is well again") {
    f.end("b", Outcome{.latency = 1s});
    CHECK(f.status("b").breaker == BreakerState::closed);
  }
  SECTION("and one of them that fails is no worse for it") {
    const Duration wait = f.status("b").breaker_retry_in;
    f.fail("b", FailureKind::server_error, 10);
    CHECK(f.status("b").breaker_retry_in == wait);
    CHECK(f.status("b").breaker_opened == 1);
  }
}

TEST_CASE("while the only probe is out the caller is told to come back soon",
          "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(1));
  f.fail("a", FailureKind::server_error, 3);
  f.time.advance(5s);
  const PickOutcome probe = f.pick();
  REQUIRE(probe);
  const PickOutcome other = f.pick();
  CHECK(other.miss == PickMiss::all_down);
  CHECK(other.retry_at == f.time.now() + 250ms);
}

TEST_CASE("mode = deprioritize asks a failing node when nobody else is left",
          "[core][pool][breaker]") {
  PoolFixture f(plain_nodes(2), {.breaker = {.mode = BreakerMode::deprioritize}});
  f.fail("a", FailureKind::server_error, 3);
  CHECK(f.picks(4) == Picks{{"b", 4}});
  CHECK(f.name("m", {f.id("b")}) == "a");
  CHECK(f.name("m", {f.id("a"), f.id("b")}) == "all_tried");
  f.fail("b", FailureKind::server_error, 3);
  CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
}

TEST_CASE("a key that rests is not used", "[core][pool][rest]") {
  PoolFixture f(two_models_each(2));
  f.rest("a", "m", 30s);
  CHECK(f.picks(4, "m") == Picks{{"b", 4}});
  CHECK(f.picks(4, "n") == Picks{{"a", 2}, {"b", 2}});
  SECTION("until it has rested, and a shorter rest does not cut it short") {
    f.rest("a", "m", 1s);
    f.time.advance(30s - 1ns);
    CHECK(f.picks(4, "m") == Picks{{"b", 4}});
    f.time.advance(1ns);
    CHECK(f.picks(4, "m") == Picks{{"a", 2}, {"b", 2}});
  }
  SECTION("for any model when none is named") {
    f.rest("b", {}, 10s);
    CHECK(f.name("n") == "a");
    const PickOutcome picked = f.pick("m");
    CHECK(picked.miss == PickMiss::all_resting);
    CHECK(picked.retry_at == f.time.now() + 10s);
  }
}

TEST_CASE("a key's rest for an unheard-of model holds for all such models", "[core][pool][rest]") {
  std::vector<NodeConfig> nodes = plain_nodes(1);
  nodes[0].models.clear();
  PoolFixture f(nodes);
  f.rest("a", "one", 1s);
  CHECK(f.name("two") == "all_resting");
}

TEST_CASE("a key rests for a model id that only an alias names", "[core][pool][rest]") {
  std::vector<NodeConfig> nodes = plain_nodes(2);
  for (NodeConfig& node : nodes) node.models.clear();
  PoolFixture f(nodes, {}, {{.name = "alias", .model_id = "id"}});
  f.rest("a", "id", 1s);
  CHECK(f.picks(4, "alias") == Picks{{"b", 4}});
  CHECK(f.picks(4, "other") == Picks{{"a", 2}, {"b", 2}});
}

TEST_CASE("a node at its own cap is not asked", "[core][pool][cap]") {
  std::vector<NodeConfig> nodes = plain_nodes(2);
  nodes[0].max_concurrent_requests = 1;
  nodes[1].max_concurrent_requests = 2;
  std::vector<std::string> freed;
  PoolOptions options;
  options.on_slot_free = [&](const Node& node) { freed.push_back(node.name()); };
  PoolFixture f(nodes, options);
  std::vector<PickOutcome> held;
  Picks seen;
  for (int i = 0; i < 3; ++i) {
    held.push_back(f.pick());
    REQUIRE(held.back());
    ++seen[held.back().ticket.node().name()];
  }
  CHECK(seen == Picks{{"a", 1}, {"b", 2}});
  CHECK(f.name() == "all_busy");
  CHECK(f.name("m", {f.id("a"), f.id("b")}) == "all_tried");
  CHECK(f.name("m", {f.id("a")}) == "all_busy");
  CHECK(freed.empty());
  SECTION("until a call on it ends, of which the pool tells") {
    const std::string name = held[1].ticket.node().name();
    held[1].ticket.release();
    CHECK(freed == Names{name});
    CHECK(f.name() == name);
  }
  SECTION("and tells of every end, whoever was told of the one before may not have come yet") {
    held.clear();
    CHECK(freed.size() == 3);
    CHECK(f.pool.in_flight() == 0);
  }
}

TEST_CASE("what has been tried is not asked again", "[core][pool]") {
  const int nodes = GENERATE(3, 26);  // below and above where a scan is the shorter way
  PoolFixture f(plain_nodes(nodes));
  f.strategy = make_strategy(GENERATE("round_robin", "p2c", "least_loaded", "weighted_random"));
  std::vector<NodeId> tried;
  for (int i = 0; i < nodes; ++i) {
    PickOutcome picked = f.pick("m", tried);
    REQUIRE(picked);
    const NodeId id = picked.ticket.node().id();
    REQUIRE(std::find(tried.begin(), tried.end(), id) == tried.end());
    tried.push_back(id);
  }
  CHECK(f.pick("m", tried).miss == PickMiss::all_tried);
}

TEST_CASE("whether there is another node to ask", "[core][pool]") {
  std::vector<NodeConfig> nodes = plain_nodes(3);
  nodes[2].models = {"n"};
  PoolFixture f(nodes);
  const auto other = [&](std::vector<NodeId> tried) {
    return f.reader.has_other("m", tried, f.id("a"), f.time.now());
  };
  CHECK(other({}));
  CHECK_FALSE(other({f.id("b")}));
  CHECK_FALSE(f.reader.has_other("nobody's", {}, f.id("a"), f.time.now()));
  SECTION("not one behind a breaker") {
    f.fail("b", FailureKind::server_error, 3);
    CHECK_FALSE(other({}));
  }
}

TEST_CASE("a strategy that names a node out of range gets the first", "[core][pool]") {
  struct Wild : Strategy {
    NodeIndex pick(std::span<const NodeView>, const PickRequest&, PickContext&) override {
      return NodeIndex{1000};
    }
  };
  PoolFixture f(plain_nodes(3));
  f.strategy = std::make_unique<Wild>();
  CHECK(f.name() == "a");
}

TEST_CASE("a pick goes on to the next node when another thread was quicker", "[core][pool][cap]") {
  /// Lets another loop take the node it is about to name.
  struct Overtaken : Strategy {
    explicit Overtaken(PoolFixture& fixture) : f(fixture), other(fixture.pool) {}
    NodeIndex pick(std::span<const NodeView> nodes, const PickRequest&, PickContext&) override {
      const std::unique_ptr<Strategy> plain = make_strategy("p2c");
      if (nodes.size() == 2) {
        const std::vector<NodeId> tried = f.all_but(nodes[0].name());
        taken = other.acquire(*plain, {.model = "m"}, "/", {.tried = tried}, f.rng, f.time);
      }
      return NodeIndex{0};
    }
    PoolFixture& f;
    NodePool::Reader other;
    PickOutcome taken;
  };
  std::vector<NodeConfig> nodes = plain_nodes(3);
  for (NodeConfig& node : nodes) node.max_concurrent_requests = 1;
  PoolFixture f(nodes);
  f.strategy = std::make_unique<Overtaken>(f);
  const PickOutcome picked = f.pick("m", {f.id("b")});
  REQUIRE(picked);
  CHECK(picked.ticket.node().name() == "c");
  CHECK(static_cast<Overtaken&>(*f.strategy).taken.ticket.node().name() == "a");
}

TEST_CASE("in a forked child nothing is in flight and what was learnt stays",
          "[core][pool][fork]") {
  PoolFixture f(plain_nodes(2));
  f.fail("a", FailureKind::server_error, 3);
  f.time.advance(5s);
  PickOutcome probe = f.pick("m", {f.id("b")});
  PickOutcome held = f.pick("m", {f.id("a")});
  f.pool.reset_after_fork();
  CHECK(f.pool.in_flight() == 0);
  CHECK(f.status("a").breaker == BreakerState::half_open);
  PickOutcome own = f.pick("m", {f.id("b")});
  CHECK(own.ticket.node().name() == "a");
  probe.ticket.record(Outcome{.latency = 1s}, f.time);
  CHECK(f.status("a").breaker == BreakerState::half_open);  // the parent's attempt says nothing
  probe.ticket.release();
  held.ticket = {};
  CHECK(f.pool.in_flight() == 1);
  own.ticket.record(Outcome{.latency = 1s}, f.time);
  CHECK(f.status("a").breaker == BreakerState::closed);
}

// Random lives of a pool, held against what design promises of every pick.
#include <catch2/catch.hpp>
#include <deque>
#include <set>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

struct Life {
  explicit Life(std::uint64_t seed)
      : chance(seed), fixture(nodes(), options()), strategies(strategy_names()) {}

  static std::vector<NodeConfig> nodes() {
    std::vector<NodeConfig> result = plain_nodes(5);
    result[1].max_concurrent_requests = 2;
    result[2].max_concurrent_requests = 1;
    result[3].weight = 0.5;
    result[4].api_keys = {"first", "second", "third"};
    return result;
  }
  static PoolOptions options() {
    PoolOptions result;
    result.health.min_success_rate = 0.4;
    result.health.unhealthy_threshold = 1;
    result.health.healthy_threshold = 1;
    return result;
  }

  std::string some_node() { return std::string(1, static_cast<char>('a' + chance.below(6))); }

  void change_something() {
    NodePool& pool = fixture.pool;
    const std::string name = some_node();
    const std::shared_ptr<const Node> node = pool.find(name);
    const Time now = fixture.time;
    switch (chance.below(8)) {
      case 0: {
        NodeConfig config;
        config.name = name;
        config.models = {"m"};
        pool.add(config, now);
        break;
      }
      case 1:
        if (pool.nodes().size() > 2) pool.remove(name, now);
        break;
      case 2:
        pool.drain(name, true);
        break;
      case 3:
      case 4:
        pool.drain(name, false);
        break;
      case 5:
        pool.probe_result(name, chance.below(2) == 0, now);
        break;
      case 6:
        if (node) rest_some_key(*node);
        break;
      default:
        if (node) pool.mark_absent(node->id(), "m", now + 2s, now);
        break;
    }
  }

  void rest_some_key(const Node& node) {
    const NodeKeys& keys = node.keys();
    const KeyId key = keys[chance.below(static_cast<std::uint32_t>(keys.size()))]->id();
    const std::string_view model = chance.below(4) == 0 ? "" : "m";
    const Duration rest = std::chrono::milliseconds(chance.below(3000));
    fixture.pool.rest_key(node.id(), key, model, fixture.time.now() + rest);
  }

  void end_something() {
    if (held.empty()) return;
    const std::size_t which = chance.below(static_cast<std::uint32_t>(held.size()));
    NodeTicket ticket = std::move(held[which]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
    const FailureKind kinds[] = {FailureKind::connect, FailureKind::server_error,
                                 FailureKind::timeout_headers, FailureKind::rate_limited};
    const std::uint32_t fate = chance.below(8);
    if (fate < 4) ticket.record(Outcome::of(kinds[fate], 10ms, fate != 0), fixture.time);
    if (fate > 4) ticket.record(Outcome{.latency = 10ms, .completion_tokens = 3}, fixture.time);
  }

  void pick_something() {
    fixture.strategy =
        make_strategy(strategies[chance.below(static_cast<std::uint32_t>(strategies.size()))]);
    std::vector<NodeId> tried;
    for (const NodeTicket& ticket : held) {
      if (chance.below(4) == 0) tried.push_back(ticket.node().id());
    }
    PickOutcome picked = fixture.pick("m", tried);
    if (picked) {
      check(picked.ticket, tried);
      held.push_back(std::move(picked.ticket));
    } else {
      check_miss(picked, tried);
    }
  }

  void check(const NodeTicket& ticket, const std::vector<NodeId>& tried) {
    const Node& node = ticket.node();
    REQUIRE(fixture.pool.find(node.name()) != nullptr);  // a member
    REQUIRE_FALSE(node.draining());
    REQUIRE(std::find(tried.begin(), tried.end(), node.id()) == tried.end());
    if (node.cap() > 0) REQUIRE(node.stats().in_flight <= node.cap());
    NodeState& state = node.state();
    REQUIRE(node.keys()[ticket.key_index()]->rests_until(&state.pair("m")) <= fixture.time.now());
    REQUIRE(state.breaker.state(fixture.time) != BreakerState::open);
    REQUIRE(state.pair("m").breaker.state(fixture.time) != BreakerState::open);
  }

  /// A miss is only given when no node stands open: health and absence are no reasons.
  void check_miss(const PickOutcome& missed, const std::vector<NodeId>& tried) {
    for (const auto& node : fixture.pool.nodes()) {
      NodeState& state = node->state();
      const Time now = fixture.time;
      const bool was_tried = std::find(tried.begin(), tried.end(), node->id()) != tried.end();
      const bool busy = node->cap() > 0 && node->stats().in_flight >= node->cap();
      const bool rests = node->keys_rest_until(&state.pair("m")) > now;
      const bool shut = !state.breaker.admits(now) || !state.pair("m").breaker.admits(now);
      const bool out =
          !state.health.in(now) || state.lacks("m", now);  // counts while others are in
      INFO(node->name() << " " << PoolFixture::why(missed.miss));
      REQUIRE((node->draining() || was_tried || busy || rests || shut || out));
      if (missed.miss == PickMiss::all_down || missed.miss == PickMiss::all_resting) {
        REQUIRE(missed.retry_at > now);
        REQUIRE(missed.retry_at != never);
      }
    }
  }

  Rng chance;
  PoolFixture fixture;
  std::vector<std::string_view> strategies;
  std::deque<NodeTicket> held;
};

}  // namespace

TEST_CASE("whatever happens, a pick is admissible and a miss has its reason",
          "[core][pool][property]") {
  const auto seed = GENERATE(range(1U, 41U));
  CAPTURE(seed);
  Life life(seed);
  for (int step = 0; step < 1500; ++step) {
    life.fixture.time.advance(std::chrono::milliseconds(life.chance.below(200)));
    const std::uint32_t act = life.chance.below(10);
    if (act < 5) life.pick_something();
    if (act >= 5 && act < 9) life.end_something();
    if (act == 9) life.change_something();
  }
  life.held.clear();
  CHECK(life.fixture.pool.in_flight() == 0);
}

TEST_CASE("a fleet that fails altogether is asked no more than 1.2 times the calls",
          "[core][pool][property]") {
  // 1,000 calls over 100 s on three dead nodes, each allowed two retries: breakers and the budget
  // hold the attempts down.
  PoolFixture f(plain_nodes(3));
  int attempts = 0;
  for (int call = 0; call < 1000; ++call) {
    f.time.advance(100ms);
    PickOutcome picked = f.pick();
    if (!picked) continue;
    ++attempts;
    picked.ticket.record(Outcome::of(FailureKind::connect, 1ms, false), f.time);
  }
  CHECK(attempts < 60);
  SECTION("and is asked again within its longest open time when it has recovered") {
    f.time.advance(60s);
    f.end("a", Outcome{.latency = 1s});
    CHECK(f.status("a").breaker == BreakerState::closed);
  }
}

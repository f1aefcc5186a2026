// Who is in the pool: adding, changing, removing, draining, replacing, and what survives it.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

NodeConfig node(std::string name) {
  NodeConfig config;
  config.name = std::move(name);
  config.url = "http://" + config.name;
  config.models = {"m"};
  return config;
}

}  // namespace

TEST_CASE("an empty pool serves nobody", "[core][pool]") {
  PoolFixture f({});
  CHECK(f.name() == "unknown_model");
  CHECK(f.pool.nodes().empty());
  CHECK(f.pool.in_flight() == 0);
  CHECK(f.pool.find("a") == nullptr);
}

TEST_CASE("nodes come and go", "[core][pool]") {
  PoolFixture f(plain_nodes(1));
  CHECK(f.name() == "a");
  CHECK(f.pool.add(node("b"), f.time));
  CHECK_FALSE(f.pool.add(node("b"), f.time));
  CHECK(f.picks(10) == Picks{{"a", 5}, {"b", 5}});
  CHECK(f.pool.remove("a", f.time));
  CHECK_FALSE(f.pool.remove("a", f.time));
  CHECK(f.picks(4) == Picks{{"b", 4}});
  CHECK(f.pool.remove("b", f.time));
  CHECK(f.name() == "unknown_model");
}

TEST_CASE("a reader knows the models of the pool as it is now", "[core][pool]") {
  PoolFixture f(plain_nodes(1));
  CHECK(f.reader.knows_model("m"));
  CHECK(f.reader.knows_model("m"));
  CHECK_FALSE(f.reader.knows_model("n"));
  REQUIRE(f.pool.remove("a", f.time.now()));
  CHECK_FALSE(f.reader.knows_model("m"));
}

TEST_CASE("a node without a name is known by its URL", "[core][pool]") {
  PoolFixture f({});
  NodeConfig config = node("");
  config.url = "http://gpu-1:8000";
  CHECK(f.pool.add(config, f.time));
  CHECK_FALSE(f.pool.add(config, f.time));
  CHECK(f.name() == "http://gpu-1:8000");
  CHECK(f.pool.update(config, f.time));
}

TEST_CASE("a removed node lives until its last call ends", "[core][pool]") {
  PoolFixture f(plain_nodes(1));
  std::weak_ptr<const Node> watched = f.pool.find("a");
  {
    PickOutcome picked = f.pick();
    f.pool.remove("a", f.time);
    CHECK(f.name() == "unknown_model");  // the reader has let go of the old snapshot
    CHECK(picked.ticket.node().name() == "a");
    CHECK(picked.ticket.model_id() == "m");
    picked.ticket.record(Outcome{.latency = 1s}, f.time);
    CHECK_FALSE(watched.expired());
  }
  CHECK(watched.expired());
}

TEST_CASE("what is known of a node survives an update", "[core][pool]") {
  PoolFixture f(plain_nodes(1));
  f.fail("a", FailureKind::server_error, 3);
  REQUIRE(f.name() == "all_down");
  const NodeId id = f.id("a");
  const std::uint64_t revision = f.pool.find("a")->revision();
  PickOutcome none;
  NodeConfig changed = node("a");
  changed.weight = 7;
  CHECK(f.pool.update(changed, f.time));
  CHECK(f.name() == "all_down");
  CHECK(f.id("a") == id);
  CHECK(f.pool.find("a")->config().weight == 7);
  CHECK(f.pool.find("a")->revision() != revision);
  CHECK(f.pool.find("a")->stats().failures == 3);
  CHECK_FALSE(f.pool.update(node("z"), f.time));
  SECTION("but not its removal and return") {
    f.pool.remove("a", f.time);
    f.pool.add(node("a"), f.time);
    CHECK(f.name() == "a");
    CHECK(f.id("a") != id);
  }
}

TEST_CASE("a draining node takes no new calls and keeps those it has", "[core][pool]") {
  PoolFixture f(plain_nodes(2));
  PickOutcome held = f.pick("m", f.all_but("a"));
  CHECK(f.pool.drain("a", true));
  CHECK(f.picks(4) == Picks{{"b", 4}});
  CHECK(held.ticket.node().draining());
  CHECK(f.status("a").draining);
  CHECK(f.pool.in_flight() == 1);
  SECTION("until it is told otherwise") {
    CHECK(f.pool.drain("a", false));
    CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
  }
  SECTION("and a pool that drains all over serves nobody") {
    f.pool.drain("b", true);
    CHECK(f.name() == "no_nodes");
  }
  SECTION("and one that is not there cannot drain") { CHECK_FALSE(f.pool.drain("z", true)); }
}

TEST_CASE("a reload replaces all nodes and keeps what is known of those that stay",
          "[core][pool]") {
  PoolFixture f(plain_nodes(2));
  f.fail("a", FailureKind::server_error, 3);
  REQUIRE(f.picks(4) == Picks{{"b", 4}});
  f.pool.replace({node("c"), node("a"), node("a")}, {{.name = "alias", .model_id = "m"}}, f.time);
  CHECK(f.pool.nodes().size() == 2);
  CHECK(f.picks(4) == Picks{{"c", 4}});
  CHECK(f.picks(4, "alias") == Picks{{"c", 4}});
  CHECK(f.status("a").breaker == BreakerState::open);
}

TEST_CASE("a reload leaves nodes alone that are configured as before", "[core][pool]") {
  PoolFixture f(plain_nodes(2));
  const auto a = f.pool.find("a");
  std::vector<NodeConfig> nodes = plain_nodes(2);
  nodes[1].headers.add("X-Extra", "1");
  f.pool.replace(nodes, {}, f.time);
  CHECK(f.pool.find("a") == a);
  CHECK(f.pool.find("b")->config().headers.find("x-extra") == "1");
}

TEST_CASE("what a reload attaches goes along until the next", "[core][pool]") {
  PoolFixture f(plain_nodes(2));
  CHECK(f.reader.snapshot()->attachment() == nullptr);
  const auto attached = std::make_shared<const int>(7);
  f.pool.replace(plain_nodes(2), {}, f.time, attached);
  CHECK(f.reader.snapshot()->attachment() == attached);
  f.pool.add(node("c"), f.time);
  f.pool.update(node("c"), f.time);
  f.pool.remove("b", f.time);
  f.pool.models_learnt("c", {"x"}, f.time);
  CHECK(f.pool.current()->attachment() == attached);
  f.pool.replace(plain_nodes(2), {}, f.time);
  CHECK(f.reader.snapshot()->attachment() == nullptr);
}

TEST_CASE("a reader of one snapshot picks among its nodes whatever becomes of the pool",
          "[core][pool]") {
  PoolFixture f(plain_nodes(1));
  NodePool::Reader before(f.pool, f.pool.current());
  f.pool.replace({node("b")}, {}, f.time);
  CHECK(f.name() == "b");
  const PickOutcome picked = before.acquire(*f.strategy, {.model = "m"}, "/", {}, f.rng, f.time);
  REQUIRE(picked);
  CHECK(picked.ticket.node().name() == "a");
  CHECK(picked.ticket.model_id() == "m");
  CHECK(before.snapshot()->find("a") != nullptr);
  CHECK(f.reader.snapshot()->find("a") == nullptr);
}

TEST_CASE("what a node's configuration is turned into is made once for each revision",
          "[core][pool]") {
  int made = 0;
  PoolOptions options;
  options.attach = [&](const NodeConfig& config) {
    ++made;
    return std::make_shared<const std::string>("endpoint of " + config.name);
  };
  PoolFixture f(plain_nodes(1), options);
  CHECK(*f.pick().ticket.node().attachment<std::string>() == "endpoint of a");
  CHECK(made == 1);
  f.pool.update(node("a"), f.time);
  f.pick();
  CHECK(made == 2);
  CHECK(PoolFixture(plain_nodes(1)).pool.find("a")->attachment<int>() == nullptr);
}

TEST_CASE("a snapshot tells what is known", "[core][pool]") {
  PoolFixture f(plain_nodes(2));
  f.fail("a", FailureKind::connect, 3);
  PickOutcome held = f.pick();
  REQUIRE(held.ticket.node().name() == "b");
  f.time.advance(2s);
  const std::vector<NodeStatus> all = f.pool.snapshot(f.time);
  REQUIRE(all.size() == 2);
  const NodeStatus& a = all[0];
  CHECK(a.node->name() == "a");
  CHECK(a.breaker == BreakerState::open);
  CHECK(a.breaker_opened == 2);  // the node's and the pair's
  CHECK(a.breaker_retry_in == 3s);
  CHECK(a.node->stats().requests == 3);
  CHECK(a.node->stats().failures == 3);
  CHECK(a.node->failures(FailureClass::connect) == 3);
  CHECK(a.node->failures(FailureClass::timeout) == 0);
  CHECK(a.models == Names{"m"});
  CHECK(a.healthy);
  const NodeStatus& b = all[1];
  CHECK(b.breaker == BreakerState::closed);
  CHECK(b.breaker_retry_in == 0s);
  CHECK(b.node->stats().in_flight == 1);
  CHECK(b.weight == 1);
  f.time.advance(3s);
  CHECK(f.status("a").breaker == BreakerState::half_open);
}

TEST_CASE("nodes that are put off come after their equals and before the worse", "[core][pool]") {
  PoolOptions options;
  options.breaker.mode = BreakerMode::deprioritize;
  options.breaker.consecutive_failures = 1;
  PoolFixture f(plain_nodes(3), options);
  const std::vector<NodeId> put_off{f.id("a")};
  std::vector<NodeId> tried;
  const auto next = [&] {
    PickOutcome picked = f.reader.acquire(*f.strategy, {.model = "m"}, "/",
                                          {.tried = tried, .put_off = put_off}, f.rng, f.time);
    if (!picked) return PoolFixture::why(picked.miss);
    tried.push_back(picked.ticket.node().id());
    return picked.ticket.node().name();
  };
  SECTION("by their breakers") {
    f.fail("c", FailureKind::connect);
    CHECK(next() == "b");
    CHECK(next() == "a");
    CHECK(next() == "c");
  }
  SECTION("by what they lack") {
    f.pool.mark_absent(f.id("c"), "/", f.time.now() + 60s, f.time);
    CHECK(next() == "b");
    CHECK(next() == "a");
    CHECK(next() == "c");
  }
  CHECK(next() == "all_tried");
}

// Which models may be asked, of which nodes, under which name.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

NodeConfig serving(std::string name, std::vector<std::string> models, double weight = 1) {
  NodeConfig config;
  config.name = std::move(name);
  config.models = std::move(models);
  config.weight = weight;
  return config;
}

ModelConfig alias(std::string name, std::string id, std::vector<std::string> nodes = {}) {
  ModelConfig config;
  config.name = std::move(name);
  config.model_id = std::move(id);
  config.nodes = std::move(nodes);
  return config;
}

}  // namespace

TEST_CASE("a model is asked of the nodes that list it", "[core][pool][models]") {
  PoolFixture f({serving("a", {"x", "y"}), serving("b", {"y", "z"})});
  CHECK(f.picks(4, "x") == Picks{{"a", 4}});
  CHECK(f.picks(4, "y") == Picks{{"a", 2}, {"b", 2}});
  CHECK(f.name("w") == "unknown_model");
  CHECK(f.pool.models() == Names{"x", "y", "z"});
  CHECK(f.pool.knows_model("z"));
  CHECK_FALSE(f.pool.knows_model("w"));
  CHECK(f.pool.serves(*f.pool.find("b"), "z"));
  CHECK_FALSE(f.pool.serves(*f.pool.find("a"), "z"));
  CHECK_FALSE(f.pool.serves(*f.pool.find("a"), "w"));
}

TEST_CASE("an alias is asked under the node's own name for it", "[core][pool][models]") {
  PoolFixture f({serving("a", {"org/model"}), serving("b", {"other"})}, {},
                {alias("short", "org/model"), alias("plain", "")});
  PickOutcome picked = f.pick("short");
  CHECK(picked.ticket.node().name() == "a");
  CHECK(picked.ticket.model_id() == "org/model");
  CHECK(f.name("plain") == "no_nodes");  // nobody lists "plain"
  CHECK(f.pool.models() == Names{"org/model", "other", "plain", "short"});
  CHECK(f.pool.model_config("short")->model_id == "org/model");
  CHECK(f.pool.model_config("other") == nullptr);
}

TEST_CASE("an alias that names nodes is asked of exactly those", "[core][pool][models]") {
  PoolFixture f({serving("a", {"x"}), serving("b", {"x"}), serving("c", {"y"})}, {},
                {alias("one", "x", {"b", "c"})});
  CHECK(f.picks(4, "one") == Picks{{"b", 2}, {"c", 2}});
  CHECK(f.pool.serves(*f.pool.find("c"), "one"));
  CHECK_FALSE(f.pool.serves(*f.pool.find("a"), "one"));
}

TEST_CASE("an alias may weigh nodes in its own way", "[core][pool][models]") {
  ModelConfig config = alias("one", "x");
  config.weights = {{"b", 3}};
  PoolFixture f({serving("a", {"x"}), serving("b", {"x"})}, {}, {config});
  f.strategy = make_strategy("weighted_round_robin");
  CHECK(f.picks(8, "one") == Picks{{"a", 2}, {"b", 6}});
  CHECK(f.picks(8, "x") == Picks{{"a", 4}, {"b", 4}});
}

TEST_CASE("an inactive alias is unknown", "[core][pool][models]") {
  ModelConfig config = alias("x", "x");
  config.active = false;
  PoolFixture f({serving("a", {"x"})}, {}, {config});
  CHECK(f.name("x") == "unknown_model");
  CHECK_FALSE(f.pool.knows_model("x"));
  CHECK(f.pool.models().empty());
}

TEST_CASE("unlisted models can be refused, except as a fallback", "[core][pool][models]") {
  ModelConfig config = alias("one", "x");
  config.fallbacks = {"y"};
  PoolFixture f({serving("a", {"x", "y", "z"})}, {.unlisted_models = UnlistedModels::refuse},
                {config});
  CHECK(f.name("one") == "a");
  CHECK(f.name("z") == "unknown_model");
  CHECK(f.name("y") == "a");
  CHECK_FALSE(f.pool.knows_model("y"));
  CHECK_FALSE(f.pool.knows_model("z"));
  CHECK(f.pool.models() == Names{"one"});
}

TEST_CASE("a node is asked for everything until its models are known", "[core][pool][models]") {
  PoolFixture f({serving("a", {}), serving("b", {"x"})});
  CHECK(f.pool.knows_model("anything"));
  CHECK(f.pool.serves(*f.pool.find("a"), "anything"));
  CHECK_FALSE(f.pool.serves(*f.pool.find("b"), "anything"));
  CHECK(f.pool.models() == Names{"x"});
  const std::string asked = "anything";
  PickOutcome picked = f.pick(asked);
  CHECK(picked.ticket.node().name() == "a");
  CHECK(picked.ticket.model_id() == "anything");
  CHECK(f.picks(4, "x") == Picks{{"a", 2}, {"b", 2}});
  SECTION("then for what it lists") {
    f.pool.models_learnt("a", {"v", "w", "v"}, f.time);
    CHECK(f.name("anything") == "unknown_model");
    CHECK(f.picks(4, "x") == Picks{{"b", 4}});
    CHECK(f.name("w") == "a");
    CHECK(f.pool.models() == Names{"v", "w", "x"});
    CHECK(f.status("a").models == Names{"v", "w"});
    SECTION("also after an update of its configuration") {
      f.pool.update(serving("a", {}), f.time);
      CHECK(f.name("w") == "a");
      CHECK(f.name("anything") == "unknown_model");
    }
    SECTION("until it lists something else") {
      f.pool.models_learnt("a", {"u"}, f.time);
      CHECK(f.name("w") == "unknown_model");
      CHECK(f.name("u") == "a");
    }
  }
  SECTION("and an empty list says nothing") {
    f.pool.models_learnt("a", {}, f.time);
    CHECK(f.name("anything") == "a");
  }
}

TEST_CASE("a request that names no model is for any node", "[core][pool][models]") {
  PoolFixture f({serving("a", {}), serving("b", {})});
  CHECK(f.picks(4, "") == Picks{{"a", 2}, {"b", 2}});
  f.pool.models_learnt("b", {"x"}, f.time);  // in the middle of its call, perhaps
  CHECK(f.picks(4, "") == Picks{{"a", 2}, {"b", 2}});
  f.pool.models_learnt("a", {"y"}, f.time);
  CHECK(f.picks(4, "") == Picks{{"a", 2}, {"b", 2}});
  CHECK(f.pool.serves(*f.pool.find("a"), ""));
  CHECK(f.pool.models() == Names{"x", "y"});
}

TEST_CASE("configured models are not overruled by what a node lists", "[core][pool][models]") {
  PoolFixture f({serving("a", {"x"})});
  f.pool.models_learnt("a", {"y"}, f.time);
  f.pool.models_learnt("z", {"y"}, f.time);  // not there: no error
  CHECK(f.name("x") == "a");
  CHECK(f.name("y") == "unknown_model");
}

TEST_CASE("learning the same models again changes nothing", "[core][pool][models]") {
  PoolFixture f({serving("a", {})});
  f.pool.models_learnt("a", {"y", "x"}, f.time);
  const auto before = f.pool.find("a");
  f.pool.models_learnt("a", {"x", "y"}, f.time);
  CHECK(f.pool.find("a") == before);
  CHECK(f.name("x") == "a");
}

TEST_CASE("a model that a node has not got is asked of others", "[core][pool][models]") {
  PoolFixture f(plain_nodes(2));
  f.pool.mark_absent(f.id("a"), "m", f.time.now() + 60s, f.time);
  CHECK(f.picks(4) == Picks{{"b", 4}});
  SECTION("until the mark ends") {
    f.time.advance(60s);
    CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
  }
  SECTION("unless none has it: then their own answer is wanted") {
    f.pool.mark_absent(f.id("b"), "m", f.time.now() + 60s, f.time);
    CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
  }
}

TEST_CASE("an unheard-of model's absence says nothing about other such models",
          "[core][pool][models]") {
  PoolFixture f({serving("a", {}), serving("b", {})});
  f.pool.mark_absent(f.id("a"), "one", f.time.now() + 60s, f.time);
  CHECK(f.picks(4, "one") == Picks{{"b", 4}});
  CHECK(f.picks(4, "two") == Picks{{"a", 2}, {"b", 2}});
}

TEST_CASE("a path that a node has not got is asked of others", "[core][pool][models]") {
  PoolFixture f(plain_nodes(2));
  f.pool.mark_absent(f.id("a"), "/v1/rerank", f.time.now() + 60s, f.time);
  for (int i = 0; i < 4; ++i) CHECK(f.pick("m", {}, "/v1/rerank").ticket.node().name() == "b");
  CHECK(f.picks(4) == Picks{{"a", 2}, {"b", 2}});
  SECTION("also when that one has been tried: then nobody is left but the first") {
    CHECK(f.pick("m", {f.id("b")}, "/v1/rerank").ticket.node().name() == "a");
    CHECK(f.pick("m", {f.id("a"), f.id("b")}, "/v1/rerank").miss == PickMiss::all_tried);
  }
  SECTION("until the mark ends") {
    f.time.advance(60s);
    CHECK(f.pick("m", {f.id("b")}, "/v1/rerank").ticket.node().name() == "a");
  }
}

TEST_CASE("marks are bounded", "[core][pool][models]") {
  PoolFixture f(plain_nodes(1));
  for (int i = 0; i < 200; ++i) {
    f.pool.mark_absent(f.id("a"), "/" + std::to_string(i), f.time.now() + 60s + i * 1s, f.time);
  }
  const NodeState& state = f.pool.find("a")->state();
  CHECK(state.absent.size() == 64);
  CHECK(state.absent_count == 64);
  CHECK(state.lacks("/199", f.time));
  CHECK_FALSE(state.lacks("/0", f.time));
  SECTION("and old ones go") {
    f.time.advance(1h);
    f.pool.mark_absent(f.id("a"), "/x", f.time.now() + 1s, f.time);
    CHECK(state.absent.size() == 1);
  }
  SECTION("and one for a node that is gone is no error") {
    const NodeId gone = f.id("a");
    f.pool.remove("a", f.time);
    f.pool.mark_absent(gone, "/x", f.time.now() + 1s, f.time);
  }
}

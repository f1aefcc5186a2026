// Nodes with several keys: which one a pick takes, and what is left when some of them rest.
#include <catch2/catch.hpp>

#include "core/pool_fixture.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

using Keys = std::vector<std::string>;
using Numbers = std::vector<int>;

NodeConfig with_keys(std::string name, Keys keys) {
  NodeConfig config;
  config.name = std::move(name);
  config.models = {"m", "n"};
  config.api_keys = std::move(keys);
  return config;
}

/// The numbers of the keys of so many picks.
Numbers key_numbers(PoolFixture& f, int picks, std::string_view model = "m") {
  Numbers numbers;
  for (int i = 0; i < picks; ++i) numbers.push_back(f.pick(model).ticket.key_number());
  return numbers;
}

PickOutcome pick_without(PoolFixture& f, const std::vector<KeyRefusal>& refused) {
  PickRequest request;
  request.model = "m";
  return f.reader.acquire(*f.strategy, request, "/", {.refused = refused}, f.rng, f.time);
}

KeyRefusal refusal(PoolFixture& f, std::size_t key) {
  return {f.pool.find("a")->keys().at(key)->id(), FailureKind::auth};
}

}  // namespace

TEST_CASE("the keys of a node are api_key and those of the list", "[core][pool][keys]") {
  NodeConfig config;
  CHECK(config.key_count() == 0);
  CHECK(config.key(0).empty());
  config.api_keys = {"one", "two"};
  CHECK(config.key_count() == 2);
  CHECK(config.key(0) == "one");
  config.api_key = "zero";
  CHECK(config.key_count() == 3);
  CHECK(config.key(0) == "zero");
  CHECK(config.key(2) == "two");
  CHECK(config.key(3).empty());
}

TEST_CASE("several keys are used in turn", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two", "three"})});
  CHECK(key_numbers(f, 6) == Numbers{1, 2, 3, 1, 2, 3});
  SECTION("those that rest are passed over, and nobody takes their turns twice") {
    f.rest("a", "m", 10s, 1);
    CHECK(key_numbers(f, 4) == Numbers{1, 3, 1, 3});
    CHECK(key_numbers(f, 3, "n") == Numbers{2, 1, 3});
    f.time.advance(10s);
    CHECK(key_numbers(f, 3) == Numbers{2, 1, 3});
  }
  SECTION("those refused to the call are no choice for it") {
    const PickOutcome picked = pick_without(f, {refusal(f, 0), refusal(f, 1)});
    CHECK(picked.ticket.key_number() == 3);
    CHECK(picked.ticket.key_index() == 2);
    CHECK(picked.ticket.key() == f.pool.find("a")->keys()[2]->id());
  }
}

TEST_CASE("a lone key has no number", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one"}), with_keys("b", {})});
  CHECK(key_numbers(f, 2) == Numbers{0, 0});
}

TEST_CASE("a node is out when all its keys rest", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two"})});
  f.rest("a", "m", 30s, 0);
  CHECK(f.name() == "a");
  f.rest("a", {}, 10s, 1);
  const PickOutcome picked = f.pick();
  CHECK(picked.miss == PickMiss::all_resting);
  CHECK(picked.retry_at == f.time.now() + 10s);
  CHECK(key_numbers(f, 2, "n") == Numbers{1, 1});
  SECTION("until the first has rested") {
    f.time.advance(10s);
    CHECK(key_numbers(f, 2) == Numbers{2, 2});
  }
}

TEST_CASE("keys that rest or were refused to the call leave nothing to pick",
          "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two"})});
  f.rest("a", "m", 10s, 0);
  const PickOutcome picked = pick_without(f, {refusal(f, 1)});
  CHECK(picked.miss == PickMiss::all_resting);
  CHECK(picked.retry_at == f.time.now() + 10s);
  CHECK(f.pool.in_flight() == 0);
  CHECK(pick_without(f, {refusal(f, 0), refusal(f, 1)}).miss == PickMiss::all_resting);
}

TEST_CASE("the first of the keys to have rested is told", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two"})});
  const std::shared_ptr<const Node> node = f.pool.find("a");
  const auto rest = [&](std::size_t key, Duration time_off) {
    return f.pool.rest_key(node->id(), node->keys()[key]->id(), "m", f.time.now() + time_off);
  };
  CHECK(rest(0, 30s) <= f.time.now());
  CHECK(rest(1, 10s) == f.time.now() + 10s);
  f.pool.remove("a", f.time);
  CHECK(rest(0, 40s) == f.time.now() + 40s);
}

TEST_CASE("a key that is still there after a reload goes on resting", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two"})});
  f.rest("a", {}, 30s, 1);
  const KeyId two = f.pool.find("a")->keys()[1]->id();
  SECTION("at another place, beside a new one") {
    f.pool.replace({with_keys("a", {"two", "three"})}, {}, f.time);
    CHECK(f.pool.find("a")->keys()[0]->id() == two);
    CHECK(key_numbers(f, 3) == Numbers{2, 2, 2});
    f.time.advance(30s);
    CHECK(key_numbers(f, 2) == Numbers{1, 2});
  }
  SECTION("alone") {
    f.pool.replace({with_keys("a", {"two"})}, {}, f.time);
    CHECK(f.name() == "all_resting");
  }
  SECTION("and one that was replaced does not") {
    f.pool.replace({with_keys("a", {"four"})}, {}, f.time);
    CHECK(f.name() == "a");
  }
  SECTION("and what is said of one that is gone is no error") {
    f.pool.replace({with_keys("a", {"one"})}, {}, f.time);
    f.pool.rest_key(f.id("a"), two, "m", f.time.now() + 40s);
    CHECK(f.name() == "a");
  }
  SECTION("and a node without keys rests as one") {
    f.pool.replace({with_keys("b", {})}, {}, f.time);
    f.rest("b", {}, 30s);
    f.pool.replace({with_keys("b", {})}, {}, f.time);
    CHECK(f.name() == "all_resting");
  }
}

TEST_CASE("it shows how many keys rest", "[core][pool][keys]") {
  PoolFixture f({with_keys("a", {"one", "two"})});
  const auto explained = [&](std::string_view model) {
    PickRequest request;
    request.model = model;
    return f.pool.explain(*f.strategy, request, f.rng, f.time).at(0);
  };
  CHECK(f.status("a").keys_resting == 0);
  f.rest("a", "m", 30s, 0);
  CHECK(f.status("a").keys_resting == 1);
  CHECK(explained("m").keys == 2);
  CHECK(explained("m").keys_resting == 1);
  CHECK(explained("m").admissible);
  CHECK(explained("n").keys_resting == 0);
  f.rest("a", {}, 30s, 1);
  CHECK(f.status("a").keys_resting == 2);
  CHECK(explained("m").reason == "its keys rest");
  CHECK(explained("n").keys_resting == 1);
  f.time.advance(30s);
  CHECK(f.status("a").keys_resting == 0);
}

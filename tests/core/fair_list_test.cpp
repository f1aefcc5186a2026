// Who is next: priority, then tenants in turn, then first come.
#include <catch2/catch.hpp>
#include <deque>
#include <llmroute/core/fair_list.hpp>
#include <llmroute/core/rng.hpp>
#include <string>

using namespace llmroute;

namespace {

struct Line {
  FairList list;
  std::deque<FairEntry> entries;

  FairEntry& join(std::string_view tenant, int priority = 0) {
    entries.push_back({tenant, priority});
    list.push_back(entries.back());
    return entries.back();
  }

  /// The tenants in the order they are served, until nobody is left.
  std::string order() {
    std::string served;
    while (FairEntry* next = list.take_next()) served += next->tenant;
    return served;
  }
};

}  // namespace

TEST_CASE("tenants are served in turn", "[core][fair_list]") {
  Line line;
  for (int i = 0; i < 4; ++i) line.join("a");
  line.join("b");
  line.join("c");
  line.join("b");
  CHECK(line.list.size() == 7);
  CHECK(line.order() == "abcabaa");
  CHECK(line.list.size() == 0);
  CHECK(line.list.take_next() == nullptr);
}

TEST_CASE("a tenant that joins late is served after one turn of the others", "[core][fair_list]") {
  Line line;
  for (int i = 0; i < 3; ++i) line.join("b");
  CHECK(line.list.take_next()->tenant == "b");
  line.join("a");
  CHECK(line.order() == "abb");
}

TEST_CASE("a higher priority goes first whoever it is", "[core][fair_list]") {
  Line line;
  line.join("a");
  line.join("b", 5);
  line.join("c", -5);
  line.join("b", 5);
  CHECK(line.order() == "bbac");
}

TEST_CASE("within a tenant first come is first served", "[core][fair_list]") {
  Line line;
  FairEntry& first = line.join("a");
  FairEntry& second = line.join("a");
  FairEntry& third = line.join("a");
  SECTION("in order") {
    CHECK(line.list.take_next() == &first);
    CHECK(line.list.take_next() == &second);
    CHECK(line.list.take_next() == &third);
  }
  SECTION("without those that have left") {
    line.list.erase(second);
    CHECK(line.list.take_next() == &first);
    CHECK(line.list.take_next() == &third);
  }
  SECTION("after one that was put in front") {
    CHECK(line.list.take_next() == &first);
    line.list.push_front(first);
    CHECK(line.list.take_next() == &first);
    CHECK(line.list.take_next() == &second);
  }
}

TEST_CASE("the first that fits is taken", "[core][fair_list]") {
  Line line;
  line.join("a");
  FairEntry& wanted = line.join("b");
  line.join("c");
  CHECK(line.list.take_first([](const FairEntry& e) { return e.tenant == "b"; }) == &wanted);
  CHECK(line.list.take_first([](const FairEntry& e) { return e.tenant == "b"; }) == nullptr);
  CHECK(line.order() == "ca");  // the turn went on from b
}

TEST_CASE("a cleared list knows nobody", "[core][fair_list]") {
  Line line;
  line.join("a");
  line.list.clear();
  CHECK(line.list.size() == 0);
  CHECK(line.list.take_next() == nullptr);
}

TEST_CASE("the last is of the lowest priority, of the longest lane, and came last",
          "[core][fair_list]") {
  Line line;
  CHECK(line.list.last() == nullptr);
  line.join("a", 1);
  line.join("a", 1);
  CHECK(line.list.last() == &line.entries[1]);
  line.join("b");
  CHECK(line.list.last() == &line.entries[2]);
  line.join("c");
  line.join("b");
  CHECK(line.list.last() == &line.entries[4]);
  CHECK(line.list.beside({.tenant = "b"}) == 2);
  CHECK(line.list.beside({.tenant = "b", .priority = 1}) == 0);
  CHECK(line.list.beside({.tenant = "b", .priority = 9}) == 0);
}

TEST_CASE("whoever is last is served last", "[core][fair_list][property]") {
  const auto seed = GENERATE(range(1U, 51U));
  CAPTURE(seed);
  Rng rng(seed);
  Line line;
  const char* tenants[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 20; ++i) {
    line.join(tenants[rng.below(4)], static_cast<int>(rng.below(2)));
    if (rng.below(4) == 0) line.list.take_next();
  }
  const FairEntry* last = line.list.last();
  const FairEntry* served = nullptr;
  while (const FairEntry* next = line.list.take_next()) served = next;
  CHECK(served == last);
}

TEST_CASE("those before a newcomer are counted, of other tenants at most one too many",
          "[core][fair_list][property]") {
  const auto seed = GENERATE(range(1U, 51U));
  CAPTURE(seed);
  Rng rng(seed);
  Line line;
  const char* tenants[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 20; ++i) {
    line.join(tenants[rng.below(4)], static_cast<int>(rng.below(3)));
    if (rng.below(4) == 0) line.list.take_next();
  }
  FairEntry newcomer{tenants[rng.below(4)], static_cast<int>(rng.below(3))};
  const std::size_t told = line.list.before(newcomer);
  line.list.push_back(newcomer);
  std::size_t served = 0;
  while (line.list.take_next() != &newcomer) ++served;
  CHECK(told >= served);
  CHECK(told <= served + 3);
}

TEST_CASE("a tenant's first call waits for one turn of the one that floods", "[core][fair_list]") {
  Line line;
  for (int i = 0; i < 1000; ++i) line.join("flood");
  for (int i = 0; i < 10; ++i) line.list.take_next();
  FairEntry& first = line.join(GENERATE("a", "z"));
  CHECK(line.list.before({.tenant = "other"}) == 2);
  FairEntry* next = line.list.take_next();
  if (next != &first) next = line.list.take_next();
  CHECK(next == &first);
}

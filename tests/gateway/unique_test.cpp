/// Ids and keys.
#include "gateway/unique.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>
#include <set>

TEST_CASE("ids are UUIDs, each another", "[gateway][unique]") {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = gateway::make_uuid();
    CHECK(std::regex_match(id, form));
    seen.insert(id);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("the id of a text is always the same", "[gateway][unique]") {
  const std::string id = gateway::uuid_of("model llama");
  CHECK(id == gateway::uuid_of("model llama"));
  CHECK(id != gateway::uuid_of("model llama-3"));
  CHECK(id.size() == 36);
  CHECK(id[14] == '8');
}

TEST_CASE("keys are long, plain and each another", "[gateway][unique]") {
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = gateway::make_key();
    CHECK(key.size() >= 43);
    CHECK(key.starts_with("ml-"));
    letters.insert(key.begin() + 3, key.end());
    seen.insert(key);
  }
  CHECK(seen.size() == 1000);
  CHECK(letters.size() == 62);
  CHECK(std::all_of(letters.begin(), letters.end(), [](char c) { return std::isalnum(c) != 0; }));
}

TEST_CASE("eight characters of a key may be shown", "[gateway][unique]") {
  CHECK(gateway::prefix_of("ml-abcdefghij") == "ml-abcde");
}

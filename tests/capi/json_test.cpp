// JSON of what may hold any bytes: reasons, names of other people's making.
#include "json.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace llmroute;

namespace {

/// A reason as it stands in the JSON.
std::string reason_in_json(std::string reason) {
  const AttemptRecord attempt{.node = "n", .error = std::nullopt, .reason = std::move(reason)};
  const std::string json = capi::attempts_json({&attempt, 1});
  const std::size_t begin = json.find("\"reason\":\"") + 10;
  return json.substr(begin, json.find("\",\"time_us\"") - begin);
}

const std::string replaced = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("text that is UTF-8 stays as it is", "[capi][json]") {
  const std::string text =
      GENERATE("", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf\xee\x80\x80",
               "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80");
  CHECK(reason_in_json(text) == text);
}

TEST_CASE("bytes that are no UTF-8 are replaced, each by itself", "[capi][json]") {
  struct Row {
    const char* bytes;
    int wrong;
  };
  const auto row = GENERATE(Row{"\xff", 1}, Row{"\x80", 1}, Row{"\xc3", 1}, Row{"\xc0\xaf", 2},
                            Row{"\xe2\x82", 2}, Row{"\xe0\x9f\xbf", 3}, Row{"\xed\xa0\x80", 3},
                            Row{"\xf0\x8f\xbf\xbf", 4}, Row{"\xf4\x90\x80\x80", 4},
                            Row{"\xf8\x88\x80\x80", 4}, Row{"\xf0\x9f\x98", 3});
  std::string expected = "a";
  for (int i = 0; i < row.wrong; ++i) expected += replaced;
  CHECK(reason_in_json("a" + std::string(row.bytes) + "b") == expected + "b");
}

TEST_CASE("what JSON has no place for", "[capi][json]") {
  CHECK(reason_in_json("\"\\\n\x01") == R"(\"\\\n\u0001)");
  Snapshot snapshot;
  snapshot.nodes.push_back(
      {.name = "n", .url = "u", .weight = std::numeric_limits<double>::infinity(), .models = {}});
  CHECK_THAT(capi::snapshot_json(snapshot), Catch::Contains("\"weight\":null,\"capacity\":1,"));
}

TEST_CASE("what a node reports of its load, in JSON", "[capi][json]") {
  Snapshot snapshot;
  snapshot.nodes.push_back({.name = "n", .url = "u", .models = {}});
  CHECK_THAT(capi::snapshot_json(snapshot), Catch::Contains("\"reported\":null}"));
  snapshot.nodes[0].reported = {{.running = 2, .waiting = 0}, 1.5};
  CHECK_THAT(capi::snapshot_json(snapshot),
             Catch::Contains(R"("reported":{"running":2,"waiting":0,"kv_cache_usage":null,)"
                             R"("max_fds":null,"age_seconds":1.5}})"));
}

/// What a log line looks like, and what never gets into one.
#include <unistd.h>

#include <simdjson.h>
#include <array>
#include <catch2/catch.hpp>

#include "captured_log.hpp"
#include "gateway/log.hpp"

using namespace std::chrono_literals;
using gateway::Log;
using gateway::LogFormat;
using gateway::LogLevel;

TEST_CASE("a log line in JSON", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::info, LogFormat::json, captured.fd());

  SECTION("carries time, level, event and what was added, escaped") {
    log.line(LogLevel::info, "call")
        .add("request_id", "r-1")
        .add("node", std::string_view("a\"b\\c\nd"))
        .add("status", 200)
        .add("stream", true)
        .add("total", std::chrono::nanoseconds(1'500'000))
        .add("first_content_ms", std::optional<std::chrono::nanoseconds>())
        .add("empty", "");
    const std::string text = captured.text();
    CHECK(text.back() == '\n');
    simdjson::dom::parser parser;
    simdjson::dom::element line;
    REQUIRE_FALSE(parser.parse(text).get(line));
    CHECK(std::string_view(line["level"]) == "info");
    CHECK(std::string_view(line["event"]) == "call");
    CHECK(std::string_view(line["request_id"]) == "r-1");
    CHECK(std::string_view(line["node"]) == "a\"b\\c\nd");
    CHECK(std::int64_t(line["status"]) == 200);
    CHECK(bool(line["stream"]));
    CHECK(double(line["total"]) == Approx(1.5));
    CHECK(std::string_view(line["time"]).size() == 24);
    CHECK(line["first_content_ms"].error() == simdjson::NO_SUCH_FIELD);
    CHECK(line["empty"].error() == simdjson::NO_SUCH_FIELD);
  }

  SECTION("is not written below the level") {
    CHECK_FALSE(log.enabled(LogLevel::debug));
    log.line(LogLevel::debug, "detail")
        .add("a", 1)
        .add("b", "c")
        .add("d", false)
        .add("e", std::chrono::nanoseconds(5));
    CHECK(captured.text().empty());
  }
}

TEST_CASE("a log line in text", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::debug, LogFormat::text, captured.fd());
  log.line(LogLevel::warn, "node").add("name", "a").add("reason", "two words\n");
  const std::string text = captured.text();
  CHECK_THAT(text, Catch::EndsWith(" warn  node name=a reason=\"two words\\u000a\"\n"));
}

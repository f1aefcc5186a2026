/// What a log line looks like, and what never gets into one.
#include <unistd.h>

#include <simdjson.h>
#include <algorithm>
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

TEST_CASE("what others write into a log line stays in its place", "[gateway][log]") {
  const auto [value, written] = GENERATE(table<std::string, std::string>({
      {"a\nb\r\x1b[2J\x7f", "a\\u000ab\\u000d\\u001b[2J\\u007f"},
      {std::string("\0", 1), "\\u0000"},
      {"\xc2\x9b", "\\u009b"},      // a terminal's escape in one character
      {"\xe2\x80\xae", "\\u202e"},  // turns what follows around
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
      {"\xff", "\xef\xbf\xbd"},
      {"\xc3(", "\xef\xbf\xbd("},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
  }));
  for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
    gateway_test::CapturedLog captured;
    Log(LogLevel::info, format, captured.fd()).line(LogLevel::info, "e").add("x", value);
    const std::string text = captured.text();
    CHECK_THAT(text, Catch::Contains(written));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  }
}

TEST_CASE("a long text is cut", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::info, LogFormat::text, captured.fd());
  log.line(LogLevel::info, "e").add("x", std::string(5000, 'a')).add("y", 1);
  CHECK_THAT(captured.text(), Catch::EndsWith(" x=" + std::string(1024, 'a') + "... y=1\n"));
}

TEST_CASE("a log without a place to write writes nothing", "[gateway][log]") {
  const Log log(LogLevel::debug, LogFormat::json, -1);
  CHECK_FALSE(log.enabled(LogLevel::error));
  log.line(LogLevel::error, "e").add("a", 1).add("b", "c").add("d", std::chrono::nanoseconds(5));
}

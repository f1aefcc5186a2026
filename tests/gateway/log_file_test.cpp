/// When log lines are written: at once, together, and never not at all.
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "captured_log.hpp"
#include "gateway/log.hpp"

using gateway::Log;
using gateway::LogFile;
using gateway::LogLevel;
using When = gateway::LogFile::When;

TEST_CASE("a log file that gathers nothing writes each line at once", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  LogFile file(captured.fd());
  file.add("a\n", When::soon);
  CHECK(captured.so_far() == "a\n");
}

TEST_CASE("a log file that gathers", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  std::optional<LogFile> file(std::in_place, captured.fd());
  file->gather();

  SECTION("writes by itself what waits") {
    file->add("a\n", When::soon);
    CHECK(captured.next() == "a\n");
    file->add("b\n", When::soon);
    CHECK(captured.next() == "b\n");
  }

  SECTION("writes what waits in front of a line that must not wait") {
    file->add("a\n", When::soon);
    file->add("b\n", When::now);
    CHECK(captured.text() == "a\nb\n");
  }

  SECTION("writes what waits when it ends") {
    file->add("a\n", When::soon);
    file.reset();
    CHECK(captured.text() == "a\n");
  }

  SECTION("writes what waits when it is asked to") {
    file->add("a\n", When::soon);
    file->flush();
    CHECK(captured.text() == "a\n");
  }

  SECTION("keeps less than 16 KiB waiting") {
    const std::string line(1023, 'x');
    int added = 0;
    while (captured.so_far().empty()) file->add(line + '\n', When::soon), ++added;
    CHECK(added <= 16);
  }

  SECTION("mixes no lines of several threads") {
    const auto write = [&](char c) {
      for (int i = 0; i < 200; ++i) file->add(std::string(50, c) + '\n', When::soon);
    };
    std::thread other(write, 'b');
    write('a');
    other.join();
    file.reset();
    const std::string text = captured.text();
    REQUIRE(text.size() == 400 * 51);
    for (std::size_t at = 0; at < text.size(); at += 51)
      CHECK(text.substr(at, 51) == std::string(50, text[at]) + '\n');
  }
}

TEST_CASE("warnings are written at once, with what waits before them", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::info, gateway::LogFormat::text, captured.fd());
  log.gather();
  log.line(LogLevel::info, "first");
  log.line(LogLevel::warn, "second");
  const std::string text = captured.so_far();
  CHECK_THAT(text, Catch::Contains(" info  first\n"));
  CHECK_THAT(text, Catch::EndsWith(" warn  second\n"));
}

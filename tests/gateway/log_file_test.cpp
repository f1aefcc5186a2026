/// When log lines are written: at once, together, and never not at all.
#include <algorithm>
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
    CHECK(captured.next() == "a\nb\n");
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

  SECTION("never waits for who does not read, and says what was lost") {
    file->tell_losses([](std::uint64_t lines) { return "lost " + std::to_string(lines) + "\n"; });
    const std::string line(1023, 'x');
    constexpr std::size_t lines = 4000;  // four times what waits, and the pipe's
    for (std::size_t i = 0; i < lines; ++i) file->add(line + '\n', When::soon);
    std::size_t written = 0;
    std::size_t lost = 0;
    for (std::string text; written + lost < lines;) {
      text += captured.next();
      for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.erase(0, end + 1)) {
        const bool told = text.starts_with("lost ");
        told ? lost += std::stoul(text.substr(5, end - 5)) : ++written;
      }
    }
    CHECK(written + lost == lines);
    file->add("after\n", When::now);
    CHECK(captured.next() == "after\n");  // nothing is said twice
    CHECK(written < 2200);                // what waits, what is being written, and the pipe
  }

  SECTION("gives up at its end when nobody reads") {
    for (int i = 0; i < 100; ++i) file->add(std::string(1023, 'x') + '\n', When::soon);
    file.reset();
    CHECK(captured.so_far().size() < 100 * 1024);
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

TEST_CASE("warnings are written soon, with what waits before them", "[gateway][log]") {
  gateway_test::CapturedLog captured;
  const Log log(LogLevel::info, gateway::LogFormat::text, captured.fd());
  log.gather();
  log.line(LogLevel::info, "first");
  log.line(LogLevel::warn, "second");
  std::string text;
  while (std::count(text.begin(), text.end(), '\n') < 2) text += captured.next();
  CHECK_THAT(text, Catch::Contains(" info  first\n"));
  CHECK_THAT(text, Catch::EndsWith(" warn  second\n"));
}

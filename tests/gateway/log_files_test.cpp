/// The three files of a log, and what becomes of them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "gateway/log.hpp"
#include "temporary_directory.hpp"

using gateway::Log;
using gateway::LogFormat;
using gateway::LogLevel;
using gateway::LogOutput;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("a log in three files", "[gateway][log]") {
  const gateway_test::TemporaryDirectory directory;
  const std::string dir = std::filesystem::current_path() / "deep" / "logs";
  {
    Log log(LogLevel::info, LogFormat::text, -1);
    REQUIRE(log.open_files(dir));
    log.line(LogLevel::debug, "unseen");
    log.line(LogLevel::info, "call").add("node", "a");
    log.line(LogLevel::warn, "node").add("node", "b");
    log.line(LogLevel::error, "call").add("node", "c");
  }
  const std::string all = content(dir + "/llmroute.log");
  const std::string errors = content(dir + "/llmroute-error.log");
  const std::string structured = content(dir + "/llmroute-structured.log");
  CHECK(lines(all) == 3);
  CHECK_THAT(all, Catch::Contains(" info  call node=a\n"));
  CHECK(lines(errors) == 2);
  CHECK_THAT(errors, Catch::Contains(" warn  node node=b\n") && Catch::Contains(" error call"));
  CHECK(lines(structured) == 3);
  CHECK_THAT(structured, Catch::Contains(R"("level":"info","event":"call","node":"a"})"));

  SECTION("which grow when the log is begun again") {
    Log log(LogLevel::info, LogFormat::json, -1);
    REQUIRE(log.open_files(dir));
    log.line(LogLevel::warn, "node");
    CHECK(lines(content(dir + "/llmroute.log")) == 4);
    CHECK(lines(content(dir + "/llmroute-error.log")) == 3);
  }
}

TEST_CASE("a log file that is renamed is begun anew", "[gateway][log]") {
  const gateway_test::TemporaryDirectory directory;
  const std::filesystem::path path = std::filesystem::current_path() / "a.log";
  auto output = LogOutput::open(path);
  REQUIRE(output);
  CHECK(output->write("one\n"));
  SECTION("when it is renamed") {
    std::filesystem::rename(path, std::filesystem::current_path() / "a.log.1");
  }
  SECTION("when it is removed") { std::filesystem::remove(path); }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (content(path).empty() && std::chrono::steady_clock::now() < end) {
    CHECK(output->write("two\n"));
    std::this_thread::yield();
  }
  CHECK_THAT(content(path), Catch::StartsWith("two\n"));
}

TEST_CASE("a directory that cannot be had is an error that names it", "[gateway][log]") {
  const gateway_test::TemporaryDirectory directory;
  const std::string file = std::filesystem::current_path() / "file";
  std::ofstream(file) << "x";
  Log log(LogLevel::info, LogFormat::json, -1);
  const auto opened = log.open_files(file + "/logs");
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, Catch::Contains(file));
  const auto not_a_file = LogOutput::open(std::filesystem::current_path());
  REQUIRE_FALSE(not_a_file);
  CHECK_THAT(not_a_file.error().message, Catch::Contains("cannot be written"));
}

TEST_CASE("a full disk costs lines and nothing else", "[gateway][log]") {
  auto output = LogOutput::open("/dev/full");
  REQUIRE(output);
  CHECK(output->write(""));
  CHECK_FALSE(output->write("one\n"));
  gateway::LogFile file(std::move(*output));
  file.gather();
  for (int i = 0; i < 1000; ++i) file.add("a line\n", gateway::LogFile::When::now);
  file.flush();
}

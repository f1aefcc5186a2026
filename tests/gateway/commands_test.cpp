/// What init writes, what a shell is told, and programs that are started.
#include <sys/stat.h>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "forms.hpp"
#include "gateway/child_process.hpp"
#include "gateway/completions.hpp"
#include "gateway/demo_servers.hpp"
#include "gateway/http_exchange.hpp"
#include "gateway/init.hpp"
#include "gateway/restart.hpp"
#include "gateway/sections.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::ChildProcess;
using gateway::Options;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("init writes a configuration that is good", "[gateway][init]") {
  const gateway_test::TemporaryDirectory directory;
  REQUIRE(gateway::write_sample("new.toml", false).has_value());
  CHECK(read("new.toml") == gateway::sample_configuration());
  struct stat status {};
  REQUIRE(stat("new.toml", &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  SECTION("but not over one that is there, unless told to") {
    directory.write("new.toml", "mine");
    const auto refused = gateway::write_sample("new.toml", false);
    REQUIRE_FALSE(refused.has_value());
    CHECK_THAT(refused.error().message, Contains("new.toml") && Contains("--force"));
    CHECK(read("new.toml") == "mine");
    CHECK(gateway::write_sample("new.toml", true).has_value());
    CHECK(read("new.toml") == gateway::sample_configuration());
  }
  SECTION("and says why it cannot") {
    CHECK_THAT(gateway::write_sample("no/where.toml", true).error().message,
               Contains("No such file"));
    CHECK(gateway::init("no/where.toml", false) == 1);
  }
}

TEST_CASE("what the sample says of defaults is true", "[gateway][init]") {
  const std::string text(gateway::sample_configuration());
  const Options plain = gateway_test::understood("a.toml", text);
  CHECK(plain.router.nodes.size() == 1);

  // Every key that is commented out, but for the model, which is an example.
  std::string whole =
      std::regex_replace(text, std::regex("\n# (name|model_id|nodes|fallbacks) = [^\n]*"), "");
  whole = std::regex_replace(whole, std::regex("\n# \\[\\[models[^\n]*"), "");
  whole = std::regex_replace(whole, std::regex("\n# (\\w+ = )"), "\n$1");
  CHECK(whole != text);
  const Options full = gateway_test::understood("a.toml", whole);
  CHECK(full.server == plain.server);
  CHECK(full.auth == plain.auth);
  CHECK(full.store == plain.store);
  CHECK(full.logging == plain.logging);
  CHECK(full.reload.interval == plain.reload.interval);
  CHECK(full.router.router.backoff == plain.router.router.backoff);
  CHECK(full.router.timeouts.total == plain.router.timeouts.total);
  CHECK(full.router.timeouts.connect == plain.router.timeouts.connect);
  CHECK(full.router.health.interval == plain.router.health.interval);
  CHECK(full.router.health.active);
  CHECK(full.router.nodes[0].weight == plain.router.nodes[0].weight);
  CHECK(full.router.backpressure.max_queue_size == plain.router.backpressure.max_queue_size);
}

TEST_CASE("what cannot change while the gateway runs is named", "[gateway][reload]") {
  const Options running;
  Options next = running;
  CHECK(gateway::needs_restart(running, next).empty());
  next.auth.auth_token = "other";
  next.router.router.max_retries = 9;
  next.reload.interval = 1s;
  CHECK(gateway::needs_restart(running, next).empty());
  next.server.port = 1;
  next.auth.keys = true;
  next.auth.admin_key = "a";
  next.store.database_url = "sqlite:other";
  next.logging.dir = "d";
  CHECK(gateway::needs_restart(running, next) ==
        std::vector<std::string>{"server", "auth.keys", "auth.admin_key", "store", "logging"});
}

TEST_CASE("completion scripts know every command and flag", "[gateway][completions]") {
  using gateway::Takes;
  const gateway::CommandHelp program{
      .name = "prog",
      .help = "",
      .flags = {{"--help", "Print this", Takes::nothing}},
      .commands = {
          {.name = "run",
           .help = "It's served",
           .flags = {{"--config", "A file", Takes::file}, {"--port", "A port", Takes::text}},
           .takes_file = true},
          {.name = "keys", .help = "Keys", .commands = {{.name = "create", .help = "One"}}},
          {.name = "completions", .help = "This", .words = {"bash", "zsh"}}}};
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = gateway::completion_script(shell, program);
    REQUIRE(script.has_value());
    for (const char* part : {"prog", "run", "keys", "create", "config", "port", "help"}) {
      CHECK_THAT(*script, Contains(part));
    }
  }
  CHECK_FALSE(gateway::completion_script("tcsh", program).has_value());
}

TEST_CASE("a program that is started", "[gateway][child]") {
  const gateway_test::TemporaryDirectory directory;
  const auto never = [] { return false; };
  const auto shell = [](std::string script) {
    auto child = ChildProcess::start(
        {{"/bin/sh", "-c", std::move(script)}, {"GREETING=hello"}, "child.log"});
    REQUIRE(child.has_value());
    return std::move(*child);
  };
  SECTION("tells its port and has its own environment and log") {
    ChildProcess child = shell(
        "echo $GREETING >&2; echo noise; echo listening on http://127.0.0.1:4321; exec sleep 100");
    CHECK(child.listening_port(20s, never) == 4321);
    CHECK(read("child.log") == "hello\n");
  }
  SECTION("may end without") {
    ChildProcess child = shell("exit 3");
    CHECK_FALSE(child.listening_port(20s, never).has_value());
  }
  SECTION("is not waited for by one who gives up, or for longer than said") {
    ChildProcess child = shell("exec sleep 100");
    CHECK_FALSE(child.listening_port(20s, [] { return true; }).has_value());
    CHECK_FALSE(child.listening_port(1ms, never).has_value());
  }
  SECTION("is gone with its object, also one that ignores being asked") {
    pid_t id = 0;
    {
      ChildProcess child =
          shell("trap '' TERM; echo listening on http://x:1; while :; do sleep 100; done");
      REQUIRE(child.listening_port(20s, never) == 1);
      ChildProcess moved = std::move(child);
      id = moved.id();
      CHECK(kill(id, 0) == 0);
    }
    CHECK(kill(id, 0) == -1);
  }
  SECTION("cannot log where nothing can be written") {
    CHECK_FALSE(ChildProcess::start({{"/bin/true"}, {}, "no/where"}).has_value());
  }
}

TEST_CASE("a temporary folder is gone with what is in it", "[gateway][child]") {
  std::filesystem::path path;
  {
    auto folder = gateway::TemporaryFolder::make();
    REQUIRE(folder.has_value());
    path = folder->path();
    std::ofstream(path / "file") << "x";
    CHECK(std::filesystem::exists(path / "file"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

/// From files, variables and flags to options: which wins, and what a mistake is answered with.
#include <catch2/catch.hpp>

#include "gateway/load.hpp"
#include "gateway/named_files.hpp"
#include "temporary_directory.hpp"

using namespace std::chrono_literals;
using gateway::Environment;
using gateway::Flags;
using gateway::load;
using gateway::Options;
using gateway_test::TemporaryDirectory;

namespace {

constexpr auto two_nodes = R"(
[router]
strategy = "round_robin"

[[nodes]]
name = "a"
url = "http://127.0.0.1:8001"

[[nodes]]
url = "http://127.0.0.1:8002"
)";

std::string message_of(std::string_view toml, const Environment& environment = {}) {
  const TemporaryDirectory directory;
  directory.write("llmroute.toml", toml);
  const auto options = load({}, environment);
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().message.find('\n') == std::string::npos);
  return options.error().message;
}

Options good(const llmroute::Result<Options>& options) {
  if (!options) FAIL(options.error().message);
  return *options;
}

}  // namespace

TEST_CASE("a configuration in TOML", "[gateway][load]") {
  const TemporaryDirectory directory;

  SECTION("fills the library's part and the gateway's own") {
    directory.write("llmroute.toml", std::string(two_nodes) + R"(
[timeouts]
connect = "250ms"
[backpressure]
max_concurrent_requests = 7
[hedge]
enabled = true
delay = "20ms"
[server]
port = 9000
workers = 3
header_timeout = "2s"
read_timeout = 3
write_timeout = "1m"
idle_timeout = 1.5
max_body = "1MB"
max_connections = 11
max_connections_per_address = 5
drain_timeout = "4s"
[auth]
auth_token = "secret"
[logging]
level = "Warning"
format = "text"
console = false
)");
    const Options options = good(load({}, {}));
    CHECK(options.source == "llmroute.toml");
    CHECK(options.router.router.strategy == "round_robin");
    CHECK(options.router.timeouts.connect == 250ms);
    CHECK(options.router.hedge.enabled);
    CHECK(options.router.hedge.delay == 20ms);
    REQUIRE(options.router.nodes.size() == 2);
    CHECK(options.router.nodes[0].name == "a");
    CHECK(options.router.nodes[1].url == "http://127.0.0.1:8002");
    CHECK(options.server.host == "127.0.0.1");
    CHECK(options.server.port == 9000);
    CHECK(options.server.workers == 3);
    CHECK(options.server.header_timeout == 2s);
    CHECK(options.server.read_timeout == 3s);
    CHECK(options.server.write_timeout == 60s);
    CHECK(options.server.idle_timeout == 1500ms);
    CHECK(options.server.max_body == 1 << 20);
    CHECK(options.server.max_connections == 11);
    CHECK(options.server.max_connections_per_address == 5);
    CHECK(options.server.drain_timeout == 4s);
    CHECK(options.auth.auth_token == "secret");
    CHECK(options.logging.level == gateway::LogLevel::warn);
    CHECK(options.logging.format == gateway::LogFormat::text);
    CHECK_FALSE(options.logging.console);
  }

  SECTION("keeps the library's defaults, but probes its nodes") {
    directory.write("llmroute.toml", two_nodes);
    const Options options = good(load({}, {}));
    CHECK(options.router.health.active);
    CHECK(options.router.timeouts.connect == 5s);
    CHECK(options.router.timeouts.attempt == 0s);
  }

  SECTION("may switch the probes off") {
    directory.write("llmroute.toml", std::string(two_nodes) + "[health]\nactive = false\n");
    CHECK_FALSE(good(load({}, {})).router.health.active);
  }
}

TEST_CASE("the source of a configuration", "[gateway][load]") {
  const TemporaryDirectory directory;
  directory.write("flag.toml", "[server]\nport = 1\n[[nodes]]\nurl = \"http://n:1\"\n");
  directory.write("path.toml", "[server]\nport = 2\n[[nodes]]\nurl = \"http://n:1\"\n");

  SECTION("is the flag's first, then CONFIG_PATH's, llmroute.toml, .env") {
    const Environment path = {{"CONFIG_PATH", "path.toml"}};
    CHECK(good(load({.config = "flag.toml"}, path)).server.port == 1);
    CHECK(good(load({}, path)).server.port == 2);
    directory.write(".env", "GATEWAY_PORT=4\nVLLM_NODES=http://n:1\n");
    CHECK(good(load({}, {})).server.port == 4);
    CHECK(good(load({}, {})).source == ".env");
    directory.write("llmroute.toml", "[server]\nport = 3\n[[nodes]]\nurl = \"http://n:1\"\n");
    CHECK(good(load({}, {})).server.port == 3);
  }

  SECTION("may be the environment alone, with the documented defaults") {
    const Options options = good(load({}, {{"VLLM_NODES", "http://a:1, http://b:2/v1,"}}));
    CHECK(options.source.empty());
    REQUIRE(options.router.nodes.size() == 2);
    CHECK(options.router.nodes[1].url == "http://b:2/v1");
    CHECK(options.router.router.strategy == "least_loaded");
    CHECK(options.router.timeouts.attempt == 120s);
    CHECK(options.router.timeouts.connect == 10s);
    CHECK(options.router.router.max_retries == 2);
    CHECK(options.router.health.active);
    CHECK(options.router.health.interval == 15s);
    CHECK(options.router.health.unhealthy_threshold == 3);
    CHECK(options.router.breaker.consecutive_failures == 3);
    CHECK(options.router.backpressure.max_concurrent_requests == 16);
    CHECK(options.server.port == 8000);
    CHECK(options.auth.auth_token.empty());
  }

  SECTION("that cannot be read is named") {
    CHECK_THAT(load({.config = "absent.toml"}, {}).error().message,
               Catch::Matchers::StartsWith("absent.toml: cannot be read: No such file"));
    CHECK_THAT(load({.config = "."}, {}).error().message, Catch::Contains("cannot be read"));
  }

  SECTION("without a node says the three ways to give one") {
    const std::string message = load({}, {}).error().message;
    for (const char* way : {"VLLM_NODES", "llmroute.toml", "--config"}) {
      CHECK_THAT(message, Catch::Contains(way));
    }
  }
}

TEST_CASE("a place without nodes is good where the admin API or its keys bring them",
          "[gateway][load]") {
  CHECK(good(load({}, {{"ADMIN_API_KEY", "a"}})).router.nodes.empty());
  const TemporaryDirectory directory;
  directory.write("llmroute.toml", "[auth]\nkeys = true\n");
  CHECK(good(load({}, {})).auth.keys);
}

TEST_CASE("environment beats file, flag beats environment", "[gateway][load]") {
  const TemporaryDirectory directory;
  directory.write("llmroute.toml", std::string(two_nodes) + "[server]\nhost = \"h\"\nport = 1\n");
  const Environment environment = {{"PORT", "3"},       {"GATEWAY_PORT", "2"},
                                   {"HOST", "0.0.0.0"}, {"VLLM_NODES", "http://other:1"},
                                   {"AUTH_TOKEN", "t"}, {"LOG_LEVEL", ""}};
  Options options = good(load({}, environment));
  CHECK(options.server.port == 2);
  CHECK(options.server.host == "0.0.0.0");
  CHECK(options.auth.auth_token == "t");
  REQUIRE(options.router.nodes.size() == 1);
  CHECK(options.router.nodes[0].url == "http://other:1");
  CHECK(options.router.router.strategy == "round_robin");

  options = good(load({.host = "::1", .port = 0, .console = true, .reload = true}, environment));
  CHECK(options.reload.interval == 1s);
  CHECK(options.logging.console);
  CHECK(options.server.host == "::1");
  CHECK(options.server.port == 0);
}

TEST_CASE("a mistake in TOML names file, line, key and the nearest right one", "[gateway][load]") {
  using Catch::Contains;
  const std::string nodes = two_nodes;  // ten lines

  CHECK_THAT(message_of(nodes + "[router2]\n"),
             Contains("llmroute.toml:11") && Contains("router2") && Contains("\"router\""));
  CHECK_THAT(message_of(nodes + "[server]\nprot = 1\n"),
             Contains("llmroute.toml:12") && Contains("server.prot") && Contains("server.port"));
  CHECK_THAT(message_of(nodes + "[timeouts]\n\nconect = 1\n"), Contains("llmroute.toml:13") &&
                                                                   Contains("timeouts.conect") &&
                                                                   Contains("timeouts.connect"));
  CHECK_THAT(message_of(nodes + "weigth = 1\n"),
             Contains("llmroute.toml:11") && Contains("weigth") && Contains("weight"));
  CHECK_THAT(message_of("[router]\nstrategy = \"round_robbin\"\n[[nodes]]\nurl = \"http://a\"\n"),
             Contains("llmroute.toml:2") && Contains("round_robbin") && Contains("round_robin"));
  CHECK_THAT(message_of("[[nodes]]\nname = \"a\"\nurl = \"ftp://a\"\n"),
             Contains("llmroute.toml:3") && Contains("url") && Contains("ftp"));
  CHECK_THAT(message_of(nodes + "[router]\n"),
             Contains("llmroute.toml:11") && Contains("not TOML"));
  CHECK_THAT(message_of(nodes + "[breaker]\nopen = -1\n"),
             Contains("llmroute.toml:12") && Contains("breaker.open"));
  CHECK_THAT(message_of(nodes + "[server]\nport = 70000\n"),
             Contains("llmroute.toml:12") && Contains("65535"));
  CHECK_THAT(message_of(nodes + "[server]\nread_timeout = \"-3s\"\n"),
             Contains("server.read_timeout"));
  CHECK_THAT(message_of(nodes + "[server]\nread_timeout = \"3 parsecs\"\n"),
             Contains("server.read_timeout"));
  CHECK_THAT(message_of(nodes + "[server]\nmax_body = \"9QB\"\n"), Contains("server.max_body"));
  CHECK_THAT(message_of(nodes + "[server]\nhost = 1\n"), Contains("server.host"));
  CHECK_THAT(message_of(nodes + "[logging]\nlevel = \"loud\"\n"),
             Contains("logging.level") && Contains("debug"));
  CHECK_THAT(message_of(nodes + "[logging]\nconsole = 1\n"), Contains("logging.console"));
  CHECK_THAT(message_of("server = 1\n" + nodes),
             Contains("llmroute.toml:1") && Contains("section"));
  CHECK_THAT(message_of(nodes + "[timeouts]\nidle = 1979-05-27\n"),
             Contains("llmroute.toml:12") && Contains("timeouts.idle"));
  CHECK_THAT(message_of("nodes = []\n"), Contains("VLLM_NODES"));

  SECTION("and a section that is not built counts as unknown") {
    CHECK_THAT(message_of(nodes + "[cache]\nenabled = true\n"),
               Contains("cache") && Contains("unknown"));
  }
  SECTION("but never a secret") {
    CHECK_THAT(message_of(nodes + "[auth]\nauth_token = 123456789\n"), !Contains("123456789"));
  }
}

TEST_CASE("an interval of health checks turns them on", "[gateway][load]") {
  const TemporaryDirectory directory;
  directory.write("off.toml", std::string(two_nodes) + "[health]\nactive = false\n");
  CHECK_FALSE(good(load({.config = "off.toml"}, {})).router.health.active);
  const Options on = good(load({.config = "off.toml"}, {{"HEALTH_CHECK_INTERVAL_SECONDS", "3"}}));
  CHECK(on.router.health.active);
  CHECK(on.router.health.interval == 3s);
}

TEST_CASE("a configuration that is to run names files that are there", "[gateway][load]") {
  const TemporaryDirectory directory;
  const auto message = [&](std::string_view more) {
    directory.write("c.toml", std::string(two_nodes) + std::string(more));
    const auto options = gateway::load_to_run({.config = "c.toml"}, {});
    return options ? std::string("good") : options.error().message;
  };
  CHECK(message("") == "good");
  CHECK_THAT(message("[server]\ntls = { cert_file = \"c.pem\", key_file = \"k.pem\" }\n"),
             Catch::Contains("server.tls.cert_file") && Catch::Contains("c.pem"));
  const std::string other = "[store]\ndatabase_url = \"mysql://u:secret@h/d\"\n";
  CHECK(message(other) == "good");  // nobody needs it
  CHECK_THAT(message("[auth]\nkeys = true\n" + other),
             Catch::Contains("store.database_url") && !Catch::Contains("secret"));
}

TEST_CASE("a mistake in a variable names it", "[gateway][load]") {
  using Catch::Contains;
  const auto with = [](const char* name, const char* value) {
    return message_of(two_nodes, {{name, value}});
  };
  CHECK_THAT(with("NODE_TIMEOUT_SECONDS", "soon"),
             Contains("variable NODE_TIMEOUT_SECONDS") && Contains("soon"));
  CHECK_THAT(with("CONNECT_TIMEOUT_SECONDS", "-1"), Contains("CONNECT_TIMEOUT_SECONDS"));
  CHECK_THAT(with("MAX_RETRIES", "-1"), Contains("MAX_RETRIES"));
  CHECK_THAT(with("GATEWAY_PORT", "99999"), Contains("GATEWAY_PORT") && Contains("65535"));
  CHECK_THAT(with("ROUTING_STRATEGY", "least_loded"),
             Contains("ROUTING_STRATEGY") && Contains("least_loaded"));
  CHECK_THAT(with("VLLM_NODES", "http://a:1,nonsense"),
             Contains("VLLM_NODES") && Contains("nonsense"));
  CHECK_THAT(with("LOG_LEVEL", "loud"), Contains("LOG_LEVEL"));
  CHECK_THAT(with("LOG_TO_CONSOLE", "maybe"), Contains("LOG_TO_CONSOLE"));
  CHECK_THAT(load({.config = {}, .port = 70000}, {{"VLLM_NODES", "http://a:1"}}).error().message,
             Contains("--port"));
}

TEST_CASE("a .env file", "[gateway][load]") {
  const TemporaryDirectory directory;

  SECTION("is read as shells and Docker read it") {
    directory.write(".env",
                    "# nodes\n"
                    "export VLLM_NODES=\"http://a:1,http://b:2\"  # both\n"
                    "ROUTING_STRATEGY = round_robin # turns\r\n"
                    "\n"
                    "AUTH_TOKEN='se#cret'\n"
                    "LOG_TO_CONSOLE=off\n"
                    "HF_TOKEN=not ours\n"
                    "MODEL_NAME=");
    const Options options = good(load({}, {}));
    CHECK(options.router.nodes.size() == 2);
    CHECK(options.router.router.strategy == "round_robin");
    CHECK(options.auth.auth_token == "se#cret");
    CHECK_FALSE(options.logging.console);
    CHECK(options.router.router.default_model.empty());
  }

  SECTION("names line and variable of a mistake") {
    const auto message = [&](std::string_view text) {
      directory.write(".env", text);
      return load({}, {}).error().message;
    };
    using Catch::Contains;
    CHECK_THAT(message("\nMAX_RETRIES=many\n"),
               Contains(".env:2: MAX_RETRIES") && Contains("many"));
    CHECK_THAT(message("ROUTING_STRATEGIE=x\n"),
               Contains(".env:1") && Contains("ROUTING_STRATEGY"));
    CHECK_THAT(message("VLLM_NODES\n"), Contains(".env:1") && Contains("NAME=VALUE"));
    CHECK_THAT(message("AUTH_TOKEN=\"open\nx"),
               Contains(".env:1: AUTH_TOKEN") && Contains("quote"));
    CHECK_THAT(message("MAX_RETRIES=1\nMAX_RETRIES=2\n"),
               Contains(".env:2: MAX_RETRIES") && Contains("twice"));
    CHECK_THAT(message("AUTH_TOKEN=x\n"), Contains("VLLM_NODES"));
  }
}

TEST_CASE("the process's variables are those that mean something here", "[gateway][load]") {
  setenv("MAX_RETRIES", "5", 1);
  setenv("SOMETHING_ELSE", "5", 1);
  const Environment environment = gateway::process_environment();
  CHECK(environment.at("MAX_RETRIES") == "5");
  CHECK(environment.count("SOMETHING_ELSE") == 0);
  unsetenv("MAX_RETRIES");
}

/// servers.toml: every documented key, its default, and what a mistake is answered with.
#include "forms.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::Options;
using gateway_test::refusal_of;
using gateway_test::understood;

namespace {

constexpr auto two_servers = R"([servers]
servers = [
    { url = "http://gpu-server-1:8081", max_concurrent_requests = 3 },
    { url = "http://gpu-server-2:8088", max_concurrent_requests = 5 },
]
)";  // five lines

Options with(std::string_view config) {
  return understood("s.toml", std::string(two_servers) + "[config]\n" + std::string(config));
}

std::string refusal_with(std::string_view config) {
  return refusal_of("s.toml", std::string(two_servers) + "[config]\n" + std::string(config));
}

}  // namespace

TEST_CASE("servers.toml has its product's defaults", "[gateway][servers_toml]") {
  const Options options = understood("any-name.toml", two_servers);
  CHECK(options.form == "servers.toml");
  CHECK(options.router.router.strategy == "vllm_load");
  CHECK(options.server.port == 8888);
  CHECK(options.logging.dir == "logs");
  CHECK(options.router.health.active);
  CHECK(options.router.health.interval == 10s);
  CHECK(options.router.health.timeout == 2s);  // the slowest good probe takes less than 5 s
  CHECK(options.router.health.min_success_rate == 0.8);
  CHECK(options.router.health.max_response_time == 0s);
  CHECK(options.reload.interval == 30s);
  CHECK(options.router.timeouts.attempt == 120s);
  CHECK(options.router.router.max_retries == 3);
  CHECK(options.router.router.backoff == 100ms);
  REQUIRE(options.router.nodes.size() == 2);
  CHECK(options.router.nodes[0].url == "http://gpu-server-1:8081");
  CHECK(options.router.nodes[0].capacity == 3);
  CHECK(options.router.nodes[0].max_concurrent_requests == 0);
  CHECK(options.router.nodes[1].capacity == 5);
}

TEST_CASE("each key of servers.toml is understood", "[gateway][servers_toml]") {
  CHECK(with("health_check_interval = 7").router.health.interval == 7s);
  CHECK(with("health_check_timeout = 1").router.health.timeout == 1s);
  CHECK(with("health_check_min_success_rate = 0.5").router.health.min_success_rate == 0.5);
  CHECK(with("health_check_max_response_time = 0.25").router.health.timeout == 250ms);
  CHECK(with("health_check_max_response_time = 0").router.health.timeout == 5s);
  CHECK(with("config_reload_interval = 3").reload.interval == 3s);
  CHECK_FALSE(with("enable_active_health_check = false").router.health.active);
  CHECK(with("request_timeout = 60").router.timeouts.attempt == 60s);
  CHECK(with("max_retries = 1").router.router.max_retries == 1);
  CHECK(with("retry_delay = 2").router.router.backoff == 2s);

  SECTION("and our own sections beside it") {
    const Options options = with("[auth]\nauth_token = \"t\"\n[logging]\nlevel = \"warn\"\n");
    CHECK(options.auth.auth_token == "t");
    CHECK(options.logging.dir == "logs");
  }
}

TEST_CASE("variables of servers.toml's product win over it", "[gateway][servers_toml]") {
  const Options options = understood("s.toml", two_servers,
                                     {{"HOST", "0.0.0.0"},
                                      {"PORT", "9"},
                                      {"LOG_LEVEL", "error"},
                                      {"LOG_TO_CONSOLE", "false"},
                                      {"HEALTH_CHECK_INTERVAL", "4"},
                                      {"CONFIG_RELOAD_INTERVAL", "6"},
                                      {"REQUEST_TIMEOUT", "8.5"}});
  CHECK(options.server.host == "0.0.0.0");
  CHECK(options.server.port == 9);
  CHECK(options.logging.level == gateway::LogLevel::error);
  CHECK_FALSE(options.logging.console);
  CHECK(options.router.health.interval == 4s);
  CHECK(options.reload.interval == 6s);
  CHECK(options.router.timeouts.attempt == 8500ms);
}

TEST_CASE("an interval of probes does not turn on what servers.toml has turned off",
          "[gateway][servers_toml]") {
  const std::string off =
      std::string(two_servers) + "[config]\nenable_active_health_check = false\n";
  const Options options = understood("s.toml", off, {{"HEALTH_CHECK_INTERVAL", "4"}});
  CHECK(options.router.health.interval == 4s);
  CHECK_FALSE(options.router.health.active);
}

TEST_CASE("a mistake in servers.toml names the line and its own nearest key",
          "[gateway][servers_toml]") {
  CHECK_THAT(refusal_with("max_retrys = 1\n"),
             Contains("s.toml:7: key \"config.max_retrys\"") && Contains("\"config.max_retries\""));
  CHECK_THAT(refusal_with("max_retries = \"many\"\n"), Contains("s.toml:7: config.max_retries"));
  CHECK_THAT(refusal_with("health_check_max_response_time = \"x\"\n"),
             Contains("s.toml:7: config.health_check_max_response_time") && Contains("seconds"));
  CHECK_THAT(refusal_with("health_check_max_response_time = -1\n"), Contains("seconds"));
  CHECK_THAT(refusal_with("max_retries = 1\nmax_retries = 2\n"), Contains("s.toml:8"));
  CHECK_THAT(refusal_with("[srver]\n"), Contains("s.toml:7") && Contains("\"server\""));
  CHECK_THAT(refusal_of("s.toml", "config = 1\n"), Contains("s.toml:1") && Contains("section"));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nservers = 1\n"),
             Contains("s.toml:2: key \"servers.servers\"") && Contains("list"));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nserver = []\n"),
             Contains("s.toml:2") && Contains("\"servers.servers\""));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nservers = [1]\n"), Contains("servers.servers[0]"));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nservers = [\n{ url = \"http://a\", wieght = 1 }]\n"),
             Contains("s.toml:3") && Contains("wieght") && Contains("weight"));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nservers = [\n{ url = \"gpu:1\" }]\n"),
             Contains("s.toml:3: servers.servers[0].url") && Contains("gpu:1"));
  CHECK_THAT(refusal_of("s.toml",
                        "[servers]\nservers = [{ url = \"http://a\", capacity = 1, "
                        "max_concurrent_requests = 2 }]\n"),
             Contains("already"));
  CHECK_THAT(refusal_of("s.toml", "[servers]\nservers = []\n"), Contains("no node"));
}

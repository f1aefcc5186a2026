/// gateway.yaml: every documented key, its default, variables, and what a mistake is answered with.
#include "forms.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::Environment;
using gateway::Options;
using gateway_test::refusal_of;
using gateway_test::understood;

namespace {

constexpr auto documented =
    R"(server: { port: 8081, read_timeout: 31s, write_timeout: 301s, idle_timeout: 121s }
database: { url: "${DATABASE_URL}", max_open_conns: 26, max_idle_conns: 11 }
redis: { url: "${REDIS_URL}" }
auth: { admin_key: "${ADMIN_API_KEY}" }
rate_limits: { default_rpm: 61, default_tpm: 100001 }
health_check: { interval: 11s, timeout: 6s, healthy_threshold: 4, unhealthy_threshold: 2 }
registry: { cache_refresh_interval: 31s }
logging: { level: warn, format: text }
)";

}  // namespace

TEST_CASE("each key of gateway.yaml is understood", "[gateway][gateway_yaml]") {
  const Environment environment = {{"DATABASE_URL", "sqlite:other.db"},
                                   {"REDIS_URL", "redis://r:6379"},
                                   {"ADMIN_API_KEY", "secret"}};
  const Options options = understood("c.yaml", documented, environment);
  CHECK(options.form == "gateway.yaml");
  CHECK(options.server.port == 8081);
  CHECK(options.server.read_timeout == 31s);
  CHECK(options.server.write_timeout == 301s);
  CHECK(options.server.idle_timeout == 121s);
  CHECK(options.store.database_url == "sqlite:other.db");
  CHECK(options.store.max_open_conns == 26);
  CHECK(options.store.max_idle_conns == 11);
  CHECK(options.store.redis_url == "redis://r:6379");
  CHECK(options.auth.admin_key == "secret");
  CHECK(options.router.limits.default_rpm == 61);
  CHECK(options.router.limits.default_tpm == 100001);
  CHECK(options.router.health.interval == 11s);
  CHECK(options.router.health.timeout == 6s);
  CHECK(options.router.health.healthy_threshold == 4);
  CHECK(options.router.health.unhealthy_threshold == 2);
  CHECK(options.store.cache_refresh_interval == 31s);
  CHECK(options.logging.level == gateway::LogLevel::warn);
  CHECK(options.logging.format == gateway::LogFormat::text);
}

TEST_CASE("gateway.yaml has its product's defaults", "[gateway][gateway_yaml]") {
  const Options options = understood("gateway.yaml", "auth: { admin_key: k }\n");
  CHECK(options.form == "gateway.yaml");
  CHECK(options.server.port == 8080);
  CHECK(options.server.read_timeout == 30s);
  CHECK(options.server.write_timeout == 300s);
  CHECK(options.server.idle_timeout == 120s);
  CHECK(options.store.database_url == "sqlite:llmroute.db");
  CHECK(options.store.max_open_conns == 25);
  CHECK(options.store.max_idle_conns == 10);
  CHECK(options.store.redis_url.empty());
  CHECK(options.auth.keys);
  CHECK(options.router.limits.default_rpm == 60);
  CHECK(options.router.limits.default_tpm == 100000);
  CHECK(options.router.health.active);
  CHECK(options.router.health.interval == 10s);
  CHECK(options.router.health.timeout == 5s);
  CHECK(options.router.health.healthy_threshold == 3);
  CHECK(options.router.health.unhealthy_threshold == 1);
  CHECK(options.store.cache_refresh_interval == 30s);
  CHECK(options.router.router.strategy == "weighted_round_robin");
  CHECK(options.logging.level == gateway::LogLevel::info);
  CHECK(options.logging.format == gateway::LogFormat::json);
}

TEST_CASE("variables in gateway.yaml", "[gateway][gateway_yaml]") {
  SECTION("that are not set mean the embedded store and no admin API") {
    const Options options = understood("c.yaml", documented);
    CHECK(options.store.database_url == "sqlite:llmroute.db");
    CHECK(options.store.max_open_conns == 26);
    CHECK(options.store.redis_url.empty());
    CHECK(options.auth.admin_key.empty());
  }
  SECTION("may stand for numbers and be parts of texts") {
    const Options options =
        understood("gateway.yaml", "server:\n  host: \"h-${X_HOST}\"\n  port: ${X_PORT}\n",
                   {{"X_HOST", "a"}, {"X_PORT", "81"}});
    CHECK(options.server.host == "h-a");
    CHECK(options.server.port == 81);
  }
  SECTION("that are not set are errors elsewhere") {
    CHECK_THAT(refusal_of("gateway.yaml", "server:\n  port: ${LLMROUTE_NO_PORT}\n"),
               Contains("gateway.yaml:2: key \"server.port\"") && Contains("LLMROUTE_NO_PORT"));
  }
  SECTION("of the environment win over the file") {
    const Options options = understood("c.yaml", "redis: {}\nauth: { admin_key: file }\n",
                                       {{"DATABASE_URL", "postgres://h/d"},
                                        {"REDIS_URL", "redis://h"},
                                        {"ADMIN_API_KEY", "env"},
                                        {"PORT", "7"},
                                        {"LOG_LEVEL", "debug"},
                                        {"LOG_FORMAT", "text"}});
    CHECK(options.store.database_url == "postgres://h/d");
    CHECK(options.store.redis_url == "redis://h");
    CHECK(options.auth.admin_key == "env");
    CHECK(options.server.port == 7);
    CHECK(options.logging.level == gateway::LogLevel::debug);
    CHECK(options.logging.format == gateway::LogFormat::text);
  }
}

TEST_CASE("gateway.yaml may have keys of our own sections beside its own",
          "[gateway][gateway_yaml]") {
  const Options options = understood("gateway.yaml",
                                     "server: { workers: 3, max_body: 1MB }\n"
                                     "auth: { admin_key: k, tokens: { a.b: t } }\n"
                                     "limits: { algorithm: token_bucket }\n"
                                     "timeouts: { connect: 3s }\n");
  CHECK(options.server.port == 8080);
  CHECK(options.server.workers == 3);
  CHECK(options.auth.tokens.at("a.b") == "t");
  CHECK(options.router.limits.default_rpm == 60);
  CHECK(options.router.limits.algorithm == llmroute::RateAlgorithm::token_bucket);
  CHECK(options.router.timeouts.connect == 3s);
}

TEST_CASE("a mistake in gateway.yaml names the line and its own nearest key",
          "[gateway][gateway_yaml]") {
  CHECK_THAT(refusal_of("gateway.yaml", "redis: {}\nhealth_chek: {}\n"),
             Contains("gateway.yaml:2: key \"health_chek\"") && Contains("\"health_check\""));
  CHECK_THAT(refusal_of("gateway.yaml", "health_check:\n  intervall: 1s\n"),
             Contains("gateway.yaml:2: key \"health_check.intervall\"") &&
                 Contains("\"health_check.interval\""));
  CHECK_THAT(refusal_of("gateway.yaml", "server:\n  prot: 1\n"),
             Contains("gateway.yaml:2") && Contains("server.prot") && Contains("server.port"));
  CHECK_THAT(refusal_of("gateway.yaml", "server:\n  port: 99999\n"),
             Contains("gateway.yaml:2: server.port") && Contains("65535"));
  CHECK_THAT(refusal_of("gateway.yaml", "rate_limits: { default_rpm: lots }\n"),
             Contains("gateway.yaml:1: rate_limits.default_rpm") && Contains("limits.default_rpm"));
  CHECK_THAT(refusal_of("gateway.yaml", "redis: 1\n"), Contains("section"));
  CHECK_THAT(refusal_of("gateway.yaml",
                        "rate_limits: { default_rpm: 1 }\n"
                        "limits: { default_rpm: 2 }\n"),
             Contains("gateway.yaml:2") && Contains("already"));
  CHECK_THAT(refusal_of("gateway.yaml", "redis: {}\nredis: {}\n"), Contains("given twice"));
}

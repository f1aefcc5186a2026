/// Provider YAML, and our own tree in YAML: every documented key, and mistakes.
#include "forms.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::Options;
using gateway_test::refusal_of;
using gateway_test::understood;

namespace {

constexpr auto documented = R"(providers:
  - { name: fast-vllm, type: vllm, url: "http://127.0.0.1:8001", weight: 3, priority: 1 }
  - { name: slow-triton, type: triton, url: "http://127.0.0.1:8002", weight: 1, priority: 2 }
  - { name: flaky-openai, type: openai, url: "http://127.0.0.1:8003", api_key: "k" }
models:
  - { name: gpt-mini, candidates: [fast-vllm, flaky-openai], strategy: weighted }
tenants: { sk-demo-123: tenant-a, sk-demo-456: tenant-b }
rate_limits: [{ tenant: tenant-a, model: gpt-mini, rate: 5, burst: 10 }, { tenant: tenant-b, rate: 0.5 }]
retry: { max_retries: 4, backoff: 0.1s }
circuit_breaker: { failures: 7, cooldown: 9s }
)";

std::string mistake(std::string_view more) {
  return refusal_of("p.yaml", "providers: [{ url: \"http://a:1\" }]\n" + std::string(more));
}

}  // namespace

TEST_CASE("each key of provider YAML is understood", "[gateway][provider_yaml]") {
  const Options options = understood("p.yaml", documented);
  CHECK(options.form == "provider YAML");
  const llmroute::Config& config = options.router;
  REQUIRE(config.nodes.size() == 3);
  CHECK(config.nodes[0].name == "fast-vllm");
  CHECK(config.nodes[0].provider == llmroute::Provider::vllm);
  CHECK(config.nodes[0].url == "http://127.0.0.1:8001");
  CHECK(config.nodes[0].weight == 3);
  CHECK(config.nodes[0].priority == 1);
  CHECK(config.nodes[1].provider == llmroute::Provider::triton);
  CHECK(config.nodes[2].provider == llmroute::Provider::openai);
  CHECK(config.nodes[2].api_key == "k");
  REQUIRE(config.models.size() == 1);
  CHECK(config.models[0].name == "gpt-mini");
  CHECK(config.models[0].nodes == std::vector<std::string>{"fast-vllm", "flaky-openai"});
  CHECK(config.models[0].strategy == "weighted");
  CHECK(options.auth.tokens.at("sk-demo-123") == "tenant-a");
  CHECK(options.auth.tokens.at("sk-demo-456") == "tenant-b");
  CHECK(config.limits.algorithm == llmroute::RateAlgorithm::token_bucket);
  REQUIRE(config.limits.per_tenant_model.size() == 2);
  CHECK(config.limits.per_tenant_model[0].tenant == "tenant-a");
  CHECK(config.limits.per_tenant_model[0].model == "gpt-mini");
  CHECK(config.limits.per_tenant_model[0].rpm == 300);  // five a second
  CHECK(config.limits.per_tenant_model[0].burst == 10);
  CHECK(config.limits.per_tenant_model[1].rpm == 30);
  CHECK(config.limits.per_tenant_model[1].burst == 1);
  CHECK(config.router.max_retries == 4);
  CHECK(config.router.backoff == 100ms);
  CHECK(config.breaker.consecutive_failures == 7);
  CHECK(config.breaker.open == 9s);
  CHECK(config.breaker.max_open == 60s);
}

TEST_CASE("our own tree may be written in YAML or JSON", "[gateway][provider_yaml]") {
  const Options options = understood("llmroute.yaml",
                                     "nodes:\n  - url: http://a:1\n    labels: { a.b: c }\n"
                                     "router: { strategy: p2c, resume: off }\n"
                                     "server: { port: 9000 }\n"
                                     "auth: { tokens: { t: x } }\n"
                                     "breaker: { open: 2m }\n");
  CHECK(options.form == "YAML");
  CHECK(options.router.nodes[0].labels.at("a.b") == "c");
  CHECK(options.router.router.strategy == "p2c");
  CHECK(options.router.router.resume == llmroute::Resume::off);
  CHECK(options.router.router.backoff == 500ms);
  CHECK(options.server.port == 9000);
  CHECK(options.auth.tokens.at("t") == "x");
  CHECK(options.router.breaker.max_open == 120s);  // not to be below what is asked for
  const Options json = understood("c.json", R"({"nodes": [{"url": "http://a:1"}],
    "server": {"port": 9001}})");
  CHECK(json.server.port == 9001);

  SECTION("with sections and their short forms side by side") {
    const Options both = understood("p.yaml",
                                    "providers: [{ url: \"http://a:1\" }]\n"
                                    "retry: { max_retries: 1 }\nrouter: { strategy: p2c }\n"
                                    "rate_limits: []\nlimits: { algorithm: sliding_window }\n");
    CHECK(both.router.router.max_retries == 1);
    CHECK(both.router.router.strategy == "p2c");
    CHECK(both.router.limits.algorithm == llmroute::RateAlgorithm::sliding_window);
  }
}

TEST_CASE("a mistake in provider YAML names the line and the nearest key",
          "[gateway][provider_yaml]") {
  CHECK_THAT(refusal_of("p.yaml", "provders: []\n"),
             Contains("p.yaml:1: key \"provders\"") && Contains("\"providers\""));
  CHECK_THAT(refusal_of("p.yaml", "model_lst: []\n"), Contains("\"model_list\""));
  CHECK_THAT(refusal_of("p.yaml", "providers:\n  - url: http://a:1\n    wieght: 1\n"),
             Contains("p.yaml:3") && Contains("wieght") && Contains("weight"));
  CHECK_THAT(refusal_of("p.yaml", "providers:\n  - url: http://a:1\n    type: vlm\n"),
             Contains("p.yaml:3: providers[0].type") && Contains("\"vllm\""));
  CHECK_THAT(refusal_of("p.yaml", "providers: 1\n"), Contains("p.yaml:1") && Contains("list"));
  CHECK_THAT(refusal_of("p.yaml", "providers: [x]\n"), Contains("providers[0]"));
  CHECK_THAT(
      refusal_of("p.yaml", "providers: [{ url: \"http://a:1\", type: vllm, provider: vllm }]"),
      Contains("already"));
  CHECK_THAT(mistake("nodes: []\n"), Contains("p.yaml:1") && Contains("two names of one list"));
  CHECK_THAT(mistake("models: [{ name: m, candidates: [b] }]\n"),
             Contains("p.yaml:2: models[0].candidates") && Contains("no node \"b\""));
  CHECK_THAT(mistake("tenants: [a]\n"), Contains("p.yaml:2: tenants"));
  CHECK_THAT(mistake("tenants: { t: 1 }\n"), Contains("p.yaml:2"));
  CHECK_THAT(mistake("tenants: {}\nauth: { tokens: {} }\n"), Contains("two names of one table"));
  CHECK_THAT(mistake("rate_limits:\n  - { tenant: t, rate: 0 }\n"),
             Contains("p.yaml:3: key \"rate_limits[0].rate\"") && Contains("above 0"));
  CHECK_THAT(mistake("rate_limits: [{ rate: fast }]\n"), Contains("rate_limits[0].rate"));
  CHECK_THAT(mistake("rate_limits: [{ rat: 1 }]\n"), Contains("p.yaml:2") && Contains("rat"));
  CHECK_THAT(mistake("rate_limits: []\nlimits: { per_tenant_model: [] }\n"),
             Contains("two names of one list"));
  CHECK_THAT(mistake("retry: { max_retry: 1 }\n"),
             Contains("p.yaml:2: key \"retry.max_retry\"") && Contains("retry.max_retries"));
  CHECK_THAT(mistake("retry: { backoff: soon }\n"), Contains("p.yaml:2: retry.backoff"));
  CHECK_THAT(mistake("circuit_breaker: 1\n"), Contains("circuit_breaker") && Contains("section"));
  CHECK_THAT(mistake("retry: { max_retries: 1 }\nrouter: { max_retries: 2 }\n"),
             Contains("p.yaml:3") && Contains("already") && Contains("p.yaml:2"));
}

/// LiteLLM's files: every documented key, deployments and fallbacks, and mistakes.
#include "forms.hpp"

using namespace std::chrono_literals;
using Catch::Contains;
using gateway::Options;
using gateway_test::refusal_of;
using gateway_test::understood;

namespace {

Options with(std::string_view more) {
  return understood("l.yaml",
                    "model_list:\n"
                    "  - model_name: a\n"
                    "    litellm_params: { model: openai/m, api_base: \"http://a:1\" }\n"
                    "  - model_name: b\n"
                    "    litellm_params: { model: openai/m, api_base: \"http://b:1\" }\n" +
                        std::string(more));
}

/// A lone deployment with these parameters.
Options one(const std::string& params) {
  return understood("l.yaml", "model_list: [{ model_name: a, litellm_params: {" + params + "} }]");
}

std::string bad(const std::string& params) {
  return refusal_of("l.yaml", "model_list: [{ model_name: a, litellm_params: {" + params + "} }]");
}

std::string mistake(std::string_view more) {
  return refusal_of(
      "l.yaml",
      "model_list: [{ model_name: a, litellm_params: { model: openai/m } }]\n" + std::string(more));
}

}  // namespace

TEST_CASE("a deployment of LiteLLM becomes a node and its name a model", "[gateway][litellm]") {
  const Options options = understood("config.yaml", R"(model_list:
  - model_name: gpt-mini
    litellm_params: { model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:8003/v1", api_key: key, rpm: 60, tpm: 100000, weight: 1 }
)");
  CHECK(options.form == "LiteLLM");
  const llmroute::Config& config = options.router;
  REQUIRE(config.nodes.size() == 1);
  CHECK(config.nodes[0].name == "gpt-mini");
  CHECK(config.nodes[0].url == "http://127.0.0.1:8003/v1");
  CHECK(config.nodes[0].provider == llmroute::Provider::openai);
  CHECK(config.nodes[0].models == std::vector<std::string>{"gpt-4o-mini"});
  CHECK(config.nodes[0].api_key == "key");
  CHECK(config.nodes[0].weight == 1);
  REQUIRE(config.models.size() == 1);
  CHECK(config.models[0].name == "gpt-mini");
  CHECK(config.models[0].model_id == "gpt-4o-mini");
  CHECK(config.models[0].nodes == std::vector<std::string>{"gpt-mini"});
  REQUIRE(config.limits.per_tenant_model.size() == 1);
  CHECK(config.limits.per_tenant_model[0].tenant.empty());
  CHECK(config.limits.per_tenant_model[0].model == "gpt-mini");
  CHECK(config.limits.per_tenant_model[0].rpm == 60);
  CHECK(config.limits.per_tenant_model[0].tpm == 100000);

  SECTION("with that product's defaults") {
    CHECK(config.router.strategy == "simple-shuffle");
    CHECK(config.router.max_retries == 2);
    CHECK(config.breaker.consecutive_failures == 4);  // one more than is allowed
    CHECK(config.breaker.open == 5s);
    CHECK(config.breaker.max_open == 5s);
    CHECK(config.timeouts.attempt == 0s);
  }
}

TEST_CASE("several deployments of one name share its traffic", "[gateway][litellm]") {
  const auto list = [](const std::string& first, const std::string& second) {
    const auto entry = [](const std::string& params) {
      return "  - model_name: m\n    litellm_params: { model: openai/x, api_base: \"http://a:1\"" +
             params + " }\n";
    };
    return understood("l.yaml", "model_list:\n" + entry(first) + entry(second));
  };
  Options options = list(", rpm: 10, tpm: 5", ", rpm: 30, tpm: 7");
  REQUIRE(options.router.nodes.size() == 2);
  CHECK(options.router.nodes[0].name == "m");
  CHECK(options.router.nodes[1].name == "m-2");
  CHECK(options.router.models[0].nodes == std::vector<std::string>{"m", "m-2"});
  CHECK(options.router.nodes[0].weight == 10);
  CHECK(options.router.nodes[1].weight == 30);
  REQUIRE(options.router.limits.per_tenant_model.size() == 1);
  CHECK(options.router.limits.per_tenant_model[0].rpm == 40);  // what both can take
  CHECK(options.router.limits.per_tenant_model[0].tpm == 12);

  SECTION("by weight, else rpm, else tpm") {
    options = list(", rpm: 10, weight: 2", ", rpm: 30");
    CHECK(options.router.nodes[0].weight == 2);
    CHECK(options.router.nodes[1].weight == 2);  // as the smallest that is given
    options = list(", tpm: 100", ", tpm: 50");
    CHECK(options.router.nodes[0].weight == 100);
    options = list("", "");
    CHECK(options.router.nodes[0].weight == 1);
    CHECK(options.router.limits.per_tenant_model.empty());
  }
  SECTION("and have no limit together while one of them says none") {
    CHECK(list(", rpm: 10", "").router.limits.per_tenant_model.empty());
  }
}

TEST_CASE("a deployment's parameters", "[gateway][litellm]") {
  using llmroute::Provider;

  SECTION("name the provider in front of the model") {
    CHECK(one("model: gpt-4o").router.nodes[0].url == "https://api.openai.com/v1");
    CHECK(one("model: gpt-4o").router.models[0].model_id == "gpt-4o");
    CHECK(one("model: anthropic/claude").router.nodes[0].provider == Provider::anthropic);
    const Options vllm = one("model: hosted_vllm/org/llama, api_base: \"http://a:1\"");
    CHECK(vllm.router.nodes[0].provider == Provider::vllm);
    CHECK(vllm.router.models[0].model_id == "org/llama");
    const Options said =
        one("model: org/llama, custom_llm_provider: openai, base_url: \"http://a:1\"");
    CHECK(said.router.nodes[0].url == "http://a:1");
    CHECK(said.router.models[0].model_id == "org/llama");
    const Options azure =
        one("model: azure/mine, api_base: \"https://x.openai.azure.com\", api_version: v");
    CHECK(azure.router.nodes[0].provider == Provider::azure);
    CHECK(azure.router.nodes[0].base_path == "/openai/v1");
  }
  SECTION("may be keys and limits of the node") {
    const Options options =
        one("model: openai/m, max_parallel_requests: 3, extra_headers: { X-A: b }");
    CHECK(options.router.nodes[0].max_concurrent_requests == 3);
    CHECK(options.router.nodes[0].headers.find("X-A") == "b");
  }
  SECTION("may be defaults of the request") {
    CHECK(one("model: openai/m, temperature: 0.5, max_tokens: 7").router.models[0].default_params ==
          R"({"temperature":0.5,"max_tokens":7})");
  }
  SECTION("may come from the environment; keys stay out of what is read") {
    const Options options =
        understood("l.yaml",
                   "model_list: [{ model_name: a, litellm_params: { model: openai/m, api_key: "
                   "os.environ/PATH, api_base: os.environ/X_BASE, rpm: os.environ/X_RPM } }]",
                   {{"X_BASE", "http://e:1"}, {"X_RPM", "12"}});
    CHECK(options.router.nodes[0].api_key == "${PATH}");
    CHECK(options.router.nodes[0].url == "http://e:1");
    CHECK(options.router.nodes[0].weight == 12);
  }
  SECTION("stand beside model_info, whose id is the node's name") {
    const Options options = understood(
        "l.yaml",
        "model_list: [{ model_name: a, model_info: { id: east, mode: chat }, litellm_params: { "
        "model: openai/m } }]");
    CHECK(options.router.nodes[0].name == "east");
  }
}

TEST_CASE("each key of LiteLLM's settings is understood", "[gateway][litellm]") {
  CHECK(with("router_settings: { routing_strategy: least-busy }").router.router.strategy ==
        "least-busy");
  for (const std::string name : {"simple-shuffle", "least-busy", "latency-based-routing",
                                 "usage-based-routing", "usage-based-routing-v2"}) {
    (void)with("router_settings: { routing_strategy: " + name + " }");
  }
  CHECK(with("router_settings: { num_retries: 7 }").router.router.max_retries == 7);
  CHECK(with("litellm_settings: { num_retries: 7 }").router.router.max_retries == 7);
  CHECK(with("router_settings: { timeout: 30 }").router.timeouts.attempt == 30s);
  CHECK(with("litellm_settings: { request_timeout: 31 }").router.timeouts.attempt == 31s);
  CHECK(with("router_settings: { allowed_fails: 0 }").router.breaker.consecutive_failures == 1);
  CHECK(with("router_settings: { cooldown_time: 90 }").router.breaker.open == 90s);
  CHECK(with("router_settings: { cooldown_time: 90 }").router.breaker.max_open == 90s);
  CHECK(with("general_settings: { master_key: sk-1 }").auth.auth_token == "sk-1");
  CHECK(with("general_settings: { database_url: \"sqlite:x\" }").store.database_url == "sqlite:x");
  CHECK(with("server: { port: 4000 }").server.port == 4000);

  SECTION("fallbacks among them") {
    using Names = std::vector<std::string>;
    const Options options = with("router_settings: { fallbacks: [{ a: [b] }] }");
    CHECK(options.router.models[0].fallbacks == Names{"b"});
    CHECK(options.router.models[1].fallbacks.empty());
    CHECK(with("litellm_settings: { context_window_fallbacks: [{ b: [a] }] }")
              .router.models[1]
              .context_window_fallbacks == Names{"a"});
    const Options both =
        with("litellm_settings: { default_fallbacks: [a], fallbacks: [{ a: [b] }] }");
    CHECK(both.router.models[0].fallbacks == Names{"b"});
    CHECK(both.router.models[1].fallbacks == Names{"a"});
    CHECK(with("litellm_settings: { default_fallbacks: [a] }").router.models[0].fallbacks.empty());
  }
}

TEST_CASE("a mistake in LiteLLM's form names the line and its own nearest key",
          "[gateway][litellm]") {
  CHECK_THAT(bad("model: openai/m, api_bas: x"),
             Contains("l.yaml:1: key \"model_list[0].litellm_params.api_bas\"") &&
                 Contains("model_list[0].litellm_params.api_base"));
  CHECK_THAT(bad("model: opnai/m"), Contains("model_list[0].litellm_params.model") &&
                                        Contains("\"opnai\"") && Contains("\"openai/...\""));
  CHECK_THAT(bad("model: hosted_vllm/m"), Contains("api_base") && Contains("missing"));
  CHECK_THAT(bad("rpm: 1"), Contains("litellm_params.model\"") && Contains("missing"));
  CHECK_THAT(bad("model: 5"), Contains("takes a text"));
  CHECK_THAT(bad("model: openai/m, rpm: many"),
             Contains("litellm_params.rpm") && Contains("takes a number"));
  CHECK_THAT(bad("model: openai/m, api_key: os.environ/LLMROUTE_NO_KEY"),
             Contains("LLMROUTE_NO_KEY"));
  CHECK_THAT(bad("model: openai/m, api_base: os.environ/LLMROUTE_NO_BASE"),
             Contains("l.yaml:1") && Contains("LLMROUTE_NO_BASE"));
  CHECK_THAT(refusal_of("l.yaml", "model_list: [{ litellm_params: { model: openai/m } }]"),
             Contains("model_list[0].model_name") && Contains("missing"));
  CHECK_THAT(refusal_of("l.yaml", "model_list: 1"), Contains("model_list") && Contains("list"));
  CHECK_THAT(refusal_of("l.yaml", "model_list: [1]"), Contains("model_list[0]"));
  CHECK_THAT(refusal_of("l.yaml", "model_list: []"), Contains("no node"));
  CHECK_THAT(
      refusal_of("l.yaml",
                 "model_list:\n"
                 "  - { model_name: m, litellm_params: { model: openai/x } }\n"
                 "  - { model_name: m, litellm_params: { model: openai/y } }\n"),
      Contains("l.yaml:3") && Contains("\"y\"") && Contains("l.yaml:2") && Contains("\"x\""));
  CHECK_THAT(mistake("router_settings: { num_retrys: 1 }"),
             Contains("l.yaml:2: key \"router_settings.num_retrys\"") && Contains("num_retries"));
  CHECK_THAT(mistake("router_setings: {}"), Contains("\"router_settings\""));
  CHECK_THAT(mistake("router_settings: { routing_strategy: cost-based-routing }"),
             Contains("l.yaml:2: router_settings.routing_strategy") && Contains("cost-based"));
  CHECK_THAT(mistake("router_settings: { num_retries: 1 }\nlitellm_settings: { num_retries: 2 }"),
             Contains("l.yaml:3") && Contains("already"));
  CHECK_THAT(mistake("router_settings: { fallbacks: [{ a: [c] }] }"),
             Contains("l.yaml:2") && Contains("no model \"c\"") && Contains("\"a\""));
  CHECK_THAT(mistake("router_settings: { fallbacks: [{ z: [a] }] }"), Contains("no model \"z\""));
  CHECK_THAT(mistake("router_settings: { fallbacks: a }"), Contains("takes a list"));
  CHECK_THAT(mistake("router_settings: { fallbacks: [a] }"), Contains("{ model: [others] }"));
  CHECK_THAT(mistake("router_settings: { fallbacks: [{ a: a }] }"),
             Contains("list of model names"));
  CHECK_THAT(mistake("router_settings: { fallbacks: [{ a: [1] }] }"),
             Contains("list of model names"));
  CHECK_THAT(mistake("litellm_settings: { default_fallbacks: [c] }"), Contains("no model \"c\""));
}

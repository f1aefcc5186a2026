// The configuration's JSON form: every key.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <llmroute/config.hpp>

#include "config_locate.hpp"
#include "config_section.hpp"

using namespace llmroute;
using namespace std::chrono_literals;
using detail::line_of;
using detail::parse_duration;

namespace {

Config taken(std::string_view json) { return Config::from_json(json).value(); }

}  // namespace

TEST_CASE("an empty configuration has the defaults", "[config]") {
  const Config config = taken("{}");
  CHECK(config.router.strategy == "auto");
  CHECK(config.timeouts.connect == 5s);
  CHECK(config.nodes.empty());
  CHECK(config.models.empty());
  CHECK(taken(R"({"nodes":[{}]})").nodes.at(0).base_path == "/v1");
}

TEST_CASE("every key of limits is read", "[config]") {
  const LimitsConfig limits = taken(R"({"limits":{
    "default_rpm":60, "default_tpm":100000, "algorithm":"token_bucket",
    "per_tenant_model":[{"tenant":"a","model":"m","rpm":5,"tpm":7,"burst":10}]}})")
                                  .limits;
  CHECK(limits.default_rpm == 60);
  CHECK(limits.default_tpm == 100000);
  CHECK(limits.algorithm == RateAlgorithm::token_bucket);
  REQUIRE(limits.per_tenant_model.size() == 1);
  const TenantModelLimits& entry = limits.per_tenant_model[0];
  CHECK(entry.tenant == "a");
  CHECK(entry.model == "m");
  CHECK(entry.rpm == 5);
  CHECK(entry.tpm == 7);
  CHECK(entry.burst == 10);
}

TEST_CASE("every key of the router is read", "[config]") {
  const RouterConfig router = taken(R"({"router":{
    "strategy":"p2c", "default_model":"m", "unlisted_models":"refuse", "max_retries":7,
    "retry_budget":0.5, "retry_floor":3, "backoff":"250ms", "all_down":"least_bad",
    "max_event":"64KB", "seed":18446744073709551615}})")
                                  .router;
  CHECK(router.strategy == "p2c");
  CHECK(router.default_model == "m");
  CHECK(router.unlisted_models == UnlistedModels::refuse);
  CHECK(router.max_retries == 7);
  CHECK(router.retry_budget == 0.5);
  CHECK(router.retry_floor == 3);
  CHECK(router.backoff == 250ms);
  CHECK(router.all_down == AllDown::least_bad);
  CHECK(router.max_event == 65536);
  CHECK(router.seed == 18446744073709551615u);
}

TEST_CASE("every timeout is read", "[config]") {
  const TimeoutsConfig timeouts = taken(R"({"timeouts":{
    "connect":"1s", "headers":2, "response":"3m", "first_content":"4h", "idle":"1.5s",
    "attempt":0, "total":"0"}})")
                                      .timeouts;
  CHECK(timeouts.connect == 1s);
  CHECK(timeouts.headers == 2s);
  CHECK(timeouts.response == 3min);
  CHECK(timeouts.first_content == 4h);
  CHECK(timeouts.idle == 1500ms);
  CHECK(timeouts.attempt == 0s);
  CHECK(timeouts.total == 0s);
}

TEST_CASE("every key of backpressure is read", "[config]") {
  const AdmissionOptions options = taken(R"({"backpressure":{
    "max_concurrent_requests":9, "max_queue_size":0, "queue_timeout":"3s", "fair_by":"none"}})")
                                       .backpressure;
  CHECK(options.max_concurrent_requests == 9);
  CHECK(options.max_queue_size == 0);
  CHECK(options.queue_timeout == 3s);
  CHECK(options.fair_by == FairBy::none);
  CHECK_FALSE(taken(R"({"backpressure":{"max_queue_size":"auto"}})").backpressure.max_queue_size);
  CHECK(taken(R"({"backpressure":{"max_queue_size":12}})").backpressure.max_queue_size == 12);
}

TEST_CASE("every key of health is read", "[config]") {
  const HealthOptions health = taken(R"({"health":{
    "active":true, "path":"/live", "interval":"1s", "timeout":"2s", "healthy_threshold":4,
    "unhealthy_threshold":5, "min_success_rate":0.25, "max_response_time":"6s", "min_requests":7,
    "window":"8s", "base_ejection":"9s", "max_ejection":"11s", "max_ejected":0.75,
    "slow_start":"12s", "metrics_interval":"13s"}})")
                                   .health;
  CHECK(health.active);
  CHECK(health.path == "/live");
  CHECK(health.interval == 1s);
  CHECK(health.timeout == 2s);
  CHECK(health.healthy_threshold == 4);
  CHECK(health.unhealthy_threshold == 5);
  CHECK(health.min_success_rate == 0.25);
  CHECK(health.max_response_time == 6s);
  CHECK(health.min_requests == 7);
  CHECK(health.window == 8s);
  CHECK(health.base_ejection == 9s);
  CHECK(health.max_ejection == 11s);
  CHECK(health.max_ejected == 0.75);
  CHECK(health.slow_start == 12s);
  CHECK(health.metrics_interval == 13s);
}

TEST_CASE("every key of the breaker is read", "[config]") {
  const BreakerOptions breaker = taken(R"({"breaker":{
    "mode":"deprioritize", "consecutive_failures":4, "failure_rate":0.1, "min_requests":6,
    "window":"7s", "open":"8s", "max_open":"9s", "half_open_probes":2}})")
                                     .breaker;
  CHECK(breaker.mode == BreakerMode::deprioritize);
  CHECK(breaker.consecutive_failures == 4);
  CHECK(breaker.failure_rate == 0.1);
  CHECK(breaker.min_requests == 6);
  CHECK(breaker.window == 7s);
  CHECK(breaker.open == 8s);
  CHECK(breaker.max_open == 9s);
  CHECK(breaker.half_open_probes == 2);
}

TEST_CASE("every key of hedging is read", "[config]") {
  const HedgeOptions hedge =
      taken(R"({"hedge":{"enabled":true,"delay":"250ms","max_share":0.1}})").hedge;
  CHECK(hedge.enabled);
  CHECK(hedge.delay == Duration(250ms));
  CHECK(hedge.max_share == 0.1);
  CHECK_FALSE(taken(R"({"hedge":{"delay":"p95"}})").hedge.delay);
}

TEST_CASE("every key of a node is read, TLS included", "[config]") {
  const Config config = taken(R"({"nodes":[{"url":"http://a:1"},{
    "name":"b", "url":"https://b:2/x", "base_path":"", "provider":"vllm", "models":["m","n"],
    "api_key":"k", "api_keys":["l","m"], "api_key_file":"f", "weight":2.5, "priority":3, "capacity":4, "max_concurrent_requests":5,
    "labels":{"zone":"z","rack":"r"}, "http_version":"2", "max_connection_age":"6s",
    "tls":{"ca_file":"ca","cert_file":"cert","key_file":"key","verify":false},
    "proxy":"env", "headers":{"X-A":"1","x-b":"2"}}]})");
  REQUIRE(config.nodes.size() == 2);
  CHECK(config.nodes[0].tls.verify);
  const NodeConfig& node = config.nodes[1];
  CHECK(node.name == "b");
  CHECK(node.url == "https://b:2/x");
  CHECK(node.base_path.empty());
  CHECK(node.provider == Provider::vllm);
  CHECK(node.models == std::vector<std::string>{"m", "n"});
  CHECK(node.api_key == "k");
  CHECK(node.api_keys == std::vector<std::string>{"l", "m"});
  CHECK(node.api_key_file == "f");
  CHECK(node.weight == 2.5);
  CHECK(node.priority == 3);
  CHECK(node.capacity == 4);
  CHECK(node.max_concurrent_requests == 5);
  CHECK(node.labels == std::map<std::string, std::string>{{"zone", "z"}, {"rack", "r"}});
  CHECK(node.http_version == HttpVersion::http_2);
  CHECK(node.max_connection_age == 6s);
  CHECK(node.tls == TlsConfig{"ca", "cert", "key", false});
  CHECK(node.proxy == "env");
  CHECK(node.headers.size() == 2);
  CHECK(node.headers.find("x-a") == "1");
}

TEST_CASE("every key of a model is read", "[config]") {
  const ModelConfig model = taken(R"({"models":[{
    "name":"m", "model_id":"org/m", "nodes":["a","b"], "weights":{"a":1,"b":0.5},
    "strategy":"p2c", "fallbacks":["n"], "context_window_fallbacks":["w"],
    "default_params":{"t":0.7, "l":[1,null,"\u00e9"], "o":{}}, "reasoning_config":{"enabled":true},
    "transforms":{"system_prompt_prefix":"P"}, "active":false}]})")
                                .models.at(0);
  CHECK(model.name == "m");
  CHECK(model.model_id == "org/m");
  CHECK(model.nodes == std::vector<std::string>{"a", "b"});
  CHECK(model.weights == std::map<std::string, double>{{"a", 1}, {"b", 0.5}});
  CHECK(model.strategy == "p2c");
  CHECK(model.fallbacks == std::vector<std::string>{"n"});
  CHECK(model.context_window_fallbacks == std::vector<std::string>{"w"});
  CHECK(model.default_params == "{\"t\":0.7,\"l\":[1,null,\"\xC3\xA9\"],\"o\":{}}");
  CHECK(model.reasoning_config == R"({"enabled":true})");
  CHECK(model.transforms.system_prompt_prefix == "P");
  CHECK_FALSE(model.active);
}

TEST_CASE("empty tables of a model are as if they were not there", "[config]") {
  const ModelConfig model =
      taken(R"({"models":[{"default_params":{},"reasoning_config":{ },"transforms":{}}]})")
          .models.at(0);
  CHECK(model == ModelConfig{});
}

TEST_CASE("every word of every key is known", "[config]") {
  const auto words = [](const std::string& head, const std::vector<std::string>& all,
                        const std::string& tail) {
    for (const std::string& word : all) CHECK(Config::from_json(head + "\"" + word + "\"" + tail));
    CHECK_FALSE(Config::from_json(head + "\"nonsense\"" + tail));
  };
  words(R"({"router":{"unlisted_models":)", {"serve", "refuse"}, "}}");
  words(R"({"router":{"all_down":)", {"fail_fast", "wait", "least_bad"}, "}}");
  words(R"({"backpressure":{"fair_by":)", {"tenant", "none"}, "}}");
  words(R"({"breaker":{"mode":)", {"reject", "deprioritize"}, "}}");
  words(R"({"nodes":[{"provider":)",
        {"auto", "openai", "azure", "anthropic", "vllm", "sglang", "llamacpp", "tgi", "triton"},
        "}]}");
}

TEST_CASE("sizes are read with their units", "[config]") {
  const auto size = [](const std::string& text) {
    return taken(R"({"router":{"max_event":)" + text + "}}").router.max_event;
  };
  CHECK(size("2048") == 2048);
  CHECK(size("\"2048\"") == 2048);
  CHECK(size("\"10B\"") == 10);
  CHECK(size("\"1.5KB\"") == 1536);
  CHECK(size("\"2MB\"") == 2u << 20);
  CHECK(size("\"1GB\"") == 1u << 30);
}

TEST_CASE("durations are read with their units", "[config]") {
  CHECK(parse_duration("250ms") == Duration(250ms));
  CHECK(parse_duration("10s") == Duration(10s));
  CHECK(parse_duration("10") == Duration(10s));
  CHECK(parse_duration("5m") == Duration(5min));
  CHECK(parse_duration("1h") == Duration(1h));
  CHECK(parse_duration("0.5m") == Duration(30s));
  CHECK(parse_duration("0") == Duration(0s));
  for (int i = 0; i < 100000; i += 7) {
    if (parse_duration(std::to_string(i) + "ms") == Duration(std::chrono::milliseconds(i)))
      continue;
    FAIL_CHECK("differs: " << i << "ms");
  }
  for (const std::string text : {"", "s", "ms", "-1s", "1 s", " 1s", "1d", "1S", "1sec", "nan",
                                 "inf", "infs", "1e999", "99999999h", "1s1s", "+1s", "0x1s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a key's line is found in its text", "[config]") {
  const std::string json =
      "{\n"
      "  \"router\": {\"strategy\": \"a \\\" } ] , {\",\n"
      "    \"seed\": 1},\n"
      "  \"nodes\": [\n"
      "    {\"url\": \"x\", \"tls\": {}},\n"
      "    {\"headers\": {\"a\": [1, {\"url\": 2}]},\n"
      "     \"url\"\n"
      "      : \"y\"}, 3, null, [],\n"
      "    {}, {}, {}, {}, {}, {}, {},\n"
      "    {\"url\": 1}],\n"
      "  \"models\": []\n"
      "}\n";
  CHECK(line_of(json, "router") == 2);
  CHECK(line_of(json, "router.seed") == 3);
  CHECK(line_of(json, "nodes") == 4);
  CHECK(line_of(json, "nodes[0].url") == 5);
  CHECK(line_of(json, "nodes[1].url") == 7);
  CHECK(line_of(json, "nodes[1].headers.a") == 6);
  CHECK(line_of(json, "nodes[2]") == 8);
  CHECK(line_of(json, "nodes[12]") == 10);
  CHECK(line_of(json, "models") == 11);
  SECTION("of a key that is not there it is that of what is around it") {
    CHECK(line_of(json, "nodes[1].tls.verify") == 6);
    CHECK(line_of(json, "models[7].name") == 11);
    CHECK(line_of(json, "rout") == 1);
    CHECK(line_of(json, "") == 1);
  }
  SECTION("text that is no object has a first line") {
    CHECK(line_of("", "x") == 1);
    CHECK(line_of("\n\n7", "x") == 1);
    CHECK(line_of("{", "x") == 1);
    CHECK(line_of("{\"a\"", "a.b") == 1);
    CHECK(line_of("[\"a", "[0]") == 1);
  }
}

TEST_CASE("one node by itself", "[config]") {
  const Result<NodeConfig> node =
      node_from_json(R"({"name":"a","url":"http://b","weight":2,"tls":{"verify":false}})");
  REQUIRE(node);
  CHECK(node->name == "a");
  CHECK(node->weight == 2);
  CHECK_FALSE(node->tls.verify);
  CHECK(node_from_json("{\n\"wieght\":2}", "n.json").error().message ==
        "n.json:2: key \"wieght\": unknown; nearest: \"weight\"");
  for (const char* other : {"", "[]", "7", "{}{}", R"({"nodes":[]})", "{}, {}"}) {
    INFO(other);
    const Result<NodeConfig> none = node_from_json(other);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == ErrorCode::invalid_config);
  }
}

// What a configuration has to hold beyond the kinds of its values.
#include <cmath>

#include "config/config_fault.hpp"
#include "support/temporary_file.hpp"

using namespace llmroute;
using namespace llmroute::test;
using namespace std::chrono_literals;

TEST_CASE("the defaults and an empty configuration pass", "[config]") { CHECK(fault({}) == "ok"); }

TEST_CASE("node URLs that make sense pass, without slashes at their end", "[config]") {
  const auto [url, kept, name] = GENERATE(table<std::string, std::string, std::string>({
      {"http://gpu-1", "http://gpu-1", "http://gpu-1"},
      {"http://gpu-1:8000", "http://gpu-1:8000", "http://gpu-1:8000"},
      {"https://api.example.com/v1", "https://api.example.com/v1", "https://api.example.com"},
      {"http://gpu-1:8000/", "http://gpu-1:8000", "http://gpu-1:8000"},
      {"http://gpu-1/a/b//", "http://gpu-1/a/b", "http://gpu-1"},
      {"http://[::1]:8000/v1", "http://[::1]:8000/v1", "http://[::1]:8000"},
      {"http://[::1]", "http://[::1]", "http://[::1]"},
      {"http://h:1", "http://h:1", "http://h:1"},
      {"http://h:65535", "http://h:65535", "http://h:65535"},
      {"http://h/a@b", "http://h/a@b", "http://h"},
  }));
  CAPTURE(url);
  Config config = with_node(url);
  REQUIRE(config.prepare());
  CHECK(config.nodes[0].url == kept);
  CHECK(config.nodes[0].name == name);
  CHECK(config.prepare());
}

TEST_CASE("node URLs that make none are refused", "[config]") {
  for (const std::string url : {"",
                                "gpu-1:8000",
                                "gpu-1",
                                "://h",
                                "ftp://h",
                                "http:/h",
                                "http:h",
                                "http://",
                                "http:///v1",
                                "http://:80",
                                "http://h:",
                                "http://h:0",
                                "http://h:65536",
                                "http://h:80x",
                                "http://h:-1",
                                "http://h:+1",
                                "http://h:99999999999",
                                "http://[::1",
                                "http://[::1]x:8:0",
                                "http://h x",
                                "http://h\n",
                                "http://h/\x7f",
                                "http://h?x",
                                "http://h#x",
                                "http://h/v1?a=b",
                                "http://u:p@h",
                                "http://u@h:80/v1",
                                "/v1"}) {
    CAPTURE(url);
    CHECK(fault_key(with_node(url)) == "nodes[0].url");
  }
}

TEST_CASE("no secret in a node's URL is repeated", "[config]") {
  for (const std::string url :
       {"http://user:hunter2@h", "ftp://user:hunter2@h", "user:hunter2@h:80",
        "http://h/v1?key=hunter2", "ftp://h/?key=hunter2", "http://user:hunter2@h:99999"}) {
    CAPTURE(url);
    CHECK(fault_key(with_node(url)) == "nodes[0].url");
    CHECK(fault(with_node(url)).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("no two nodes have one name, and no two models", "[config]") {
  Config config = with_node("http://a:1/x");
  config.nodes.push_back({.name = "b", .url = "http://b"});
  CHECK(fault(config) == "ok");
  SECTION("nodes by name") {
    config.nodes.push_back({.name = "b", .url = "http://c"});
    CHECK(fault(config) == R"(key "nodes[2].name": "b" is another node's name already)");
  }
  SECTION("nodes by the origin of their URL") {
    config.nodes.push_back({.url = "http://a:1/y"});
    CHECK(fault_key(config) == "nodes[2].name");
  }
  SECTION("models") {
    config.models = {{.name = "m"}, {.name = "m"}};
    CHECK(fault(config) == R"(key "models[1].name": "m" is another model's name already)");
  }
  SECTION("a model without a name") {
    config.models = {{.model_id = "x"}};
    CHECK(fault_key(config) == "models[0].name");
  }
  SECTION("a node's name with a line break") {
    config.nodes[1].name = "b\nc";
    CHECK(fault_key(config) == "nodes[1].name");
  }
}

TEST_CASE("a model without model_id is asked for by its name", "[config]") {
  Config config;
  config.models = {{.name = "m"}, {.name = "n", .model_id = "org/n"}};
  REQUIRE(config.prepare());
  CHECK(config.models[0].model_id == "m");
  CHECK(config.models[1].model_id == "org/n");
}

TEST_CASE("an unknown strategy is refused with the nearest", "[config]") {
  Config config;
  config.router.strategy = "round-robin";
  CHECK(fault(config) == "ok");
  config.router.strategy = "latency_bsed";
  CHECK(fault(config) ==
        R"(key "router.strategy": there is no strategy "latency_bsed"; nearest: "latency_based")");
  config.router.strategy = "";
  CHECK(fault_key(config) == "router.strategy");
  config.router.strategy = "p2c";
  config.models = {{.name = "m"}, {.name = "n", .strategy = "p3c"}};
  CHECK(fault(config) == R"(key "models[1].strategy": there is no strategy "p3c"; nearest: "p2c")");
}

TEST_CASE("models refer to nodes and models that are there", "[config]") {
  Config config;
  config.nodes = {{.name = "alpha", .url = "http://a"}, {.name = "beta", .url = "http://b"}};
  config.models = {{.name = "m"}, {.name = "n"}};
  SECTION("nodes") {
    config.models[0].nodes = {"beta", "alpa"};
    CHECK(fault(config) ==
          R"(key "models[0].nodes[1]": there is no node "alpa"; nearest: "alpha")");
  }
  SECTION("weights") {
    config.models[1].weights = {{"alpha", 1}, {"bta", 2}};
    CHECK(fault(config) ==
          R"(key "models[1].weights.bta": there is no node "bta"; nearest: "beta")");
  }
  SECTION("a fallback may be any model while unlisted ones are served") {
    config.models[0].fallbacks = {"n", "elsewhere"};
    CHECK(fault(config) == "ok");
    config.router.unlisted_models = UnlistedModels::refuse;
    CHECK(fault_key(config) == "models[0].fallbacks[1]");
    config.models[0].fallbacks = {"n"};
    CHECK(fault(config) == "ok");
    config.models[0].context_window_fallbacks = {"wide"};
    CHECK(fault_key(config) == "models[0].context_window_fallbacks[0]");
  }
}

TEST_CASE("HTTP/2 is for https:// alone", "[config]") {
  Config config = with_node("http://a");
  config.nodes[0].http_version = HttpVersion::http_2;
  CHECK(fault(config) ==
        "key \"nodes[0].http_version\": HTTP/2 is spoken over TLS only, and url begins with "
        "http://");
  config.nodes[0].http_version = HttpVersion::http_1_1;
  CHECK(fault(config) == "ok");
  config.nodes[0] = {.url = "https://a", .http_version = HttpVersion::http_2};
  CHECK(fault(config) == "ok");
}

TEST_CASE("files of TLS that cannot be read are faults, each under its key", "[config]") {
  const test::TemporaryFile file("something");
  const test::TemporaryFile empty("");
  Config config = with_node("https://a");
  TlsConfig& tls = config.nodes[0].tls;
  tls = {.ca_file = file.path(), .cert_file = file.path(), .key_file = file.path()};
  CHECK(fault(config) == "ok");
  SECTION("the signers'") {
    tls.ca_file = "/nonexistent/ca.pem";
    CHECK(fault(config) ==
          "key \"nodes[0].tls.ca_file\": \"/nonexistent/ca.pem\" cannot be read: "
          "No such file or directory");
    tls.ca_file = "/";
    CHECK_THAT(fault(config), Catch::Contains("Is a directory"));
    tls.ca_file = empty.path();
    CHECK_THAT(fault(config), Catch::Contains("it is empty"));
  }
  SECTION("the client's") {
    tls.cert_file = "/nonexistent/cert.pem";
    CHECK(fault_key(config) == "nodes[0].tls.cert_file");
    tls.cert_file = file.path();
    tls.key_file = "/nonexistent/key.pem";
    CHECK(fault_key(config) == "nodes[0].tls.key_file");
  }
  SECTION("a key without a certificate") {
    tls.cert_file.clear();
    CHECK(fault_key(config) == "nodes[0].tls.key_file");
  }
}

TEST_CASE("a header's name is a token", "[config]") {
  Config config = with_node("http://a");
  for (const std::string name : {"", "X A", "X:", "X\t", "\xC3\xA9"}) {
    CAPTURE(name);
    config.nodes[0].headers = {{name, "1"}};
    CHECK(fault_key(config) == "nodes[0].headers");
  }
  config.nodes[0].headers = {{"x-A_1.~!", "1"}};
  CHECK(fault(config) == "ok");
}

TEST_CASE("numbers out of range are refused by their key", "[config]") {
  const double nan = std::nan("");
  using Break = void (*)(Config&, double);
  struct Row {
    std::string key;
    double value;
    Break set;
  };
  const Row row = GENERATE_COPY(
      Row{"router.max_retries", -1, [](Config& c, double v) { c.router.max_retries = int(v); }},
      Row{"router.retry_budget", -0.1, [](Config& c, double v) { c.router.retry_budget = v; }},
      Row{"router.retry_budget", nan, [](Config& c, double v) { c.router.retry_budget = v; }},
      Row{"router.retry_floor", -1, [](Config& c, double v) { c.router.retry_floor = v; }},
      Row{"router.max_event", 1023,
          [](Config& c, double v) { c.router.max_event = std::size_t(v); }},
      Row{"backpressure.max_concurrent_requests", -1,
          [](Config& c, double v) { c.backpressure.max_concurrent_requests = int(v); }},
      Row{"health.interval", 0, [](Config& c, double) { c.health.interval = 9ms; }},
      Row{"health.metrics_interval", 0, [](Config& c, double) { c.health.metrics_interval = 0s; }},
      Row{"health.timeout", 0, [](Config& c, double) { c.health.timeout = 0s; }},
      Row{"health.healthy_threshold", 0,
          [](Config& c, double v) { c.health.healthy_threshold = int(v); }},
      Row{"health.unhealthy_threshold", 0,
          [](Config& c, double v) { c.health.unhealthy_threshold = int(v); }},
      Row{"health.min_success_rate", 1.1,
          [](Config& c, double v) { c.health.min_success_rate = v; }},
      Row{"health.max_ejected", nan, [](Config& c, double v) { c.health.max_ejected = v; }},
      Row{"health.path", 0, [](Config& c, double) { c.health.path = "health"; }},
      Row{"health.path", 0, [](Config& c, double) { c.health.path = ""; }},
      Row{"breaker.failure_rate", 1.5, [](Config& c, double v) { c.breaker.failure_rate = v; }},
      Row{"breaker.half_open_probes", 0,
          [](Config& c, double v) { c.breaker.half_open_probes = int(v); }},
      Row{"breaker.open", 0, [](Config& c, double) { c.breaker.open = 0s; }},
      Row{"nodes[0].weight", -1, [](Config& c, double v) { c.nodes[0].weight = v; }},
      Row{"nodes[0].weight", nan, [](Config& c, double v) { c.nodes[0].weight = v; }},
      Row{"nodes[0].capacity", -1, [](Config& c, double v) { c.nodes[0].capacity = int(v); }},
      Row{"nodes[0].max_concurrent_requests", -1,
          [](Config& c, double v) { c.nodes[0].max_concurrent_requests = int(v); }},
      Row{"nodes[0].base_path", 0, [](Config& c, double) { c.nodes[0].base_path = "v1"; }});
  Config config = with_node("http://a");
  row.set(config, row.value);
  CHECK(fault_key(config) == row.key);
  CHECK(fault(config) != "ok");
}

TEST_CASE("values at the ends of their range pass", "[config]") {
  Config config = with_node("http://a");
  config.router.max_retries = 0;
  config.router.max_event = 1024;
  config.health.min_success_rate = 1;
  config.health.interval = 10ms;
  config.breaker.failure_rate = 1;
  config.nodes[0].weight = 0;
  config.nodes[0].base_path = "";
  CHECK(fault(config) == "ok");
}

TEST_CASE("limits that would never count are refused", "[config]") {
  Config config = with_node("http://a");
  config.limits.per_tenant_model = {{.tenant = "a", .rpm = 1}, {.tenant = "a", .rpm = 2}};
  CHECK(fault_key(config) == "limits.per_tenant_model[1]");
  config.limits.per_tenant_model = {{.tenant = "a", .rpm = 1, .burst = 2}};
  CHECK(fault_key(config) == "limits.per_tenant_model[0].burst");
  config.limits.algorithm = RateAlgorithm::token_bucket;
  CHECK(fault(config) == "ok");
  config.limits.per_tenant_model[0].rpm = 0;
  CHECK(fault_key(config) == "limits.per_tenant_model[0].burst");
}

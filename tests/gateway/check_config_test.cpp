/// What is said of a configuration, and of everything that is wrong with one.
#include "gateway/check_config.hpp"

#include <catch2/catch.hpp>

#include "forms.hpp"

using Catch::Contains;
using gateway::description_of;
using gateway_test::understood;

TEST_CASE("a configuration is described without its secrets", "[gateway][check_config]") {
  const std::string text = description_of(understood("c.toml", R"(
[[nodes]]
url = "http://a:1"
weight = 2
priority = 1
capacity = 3
max_concurrent_requests = 4
models = ["m1", "m2"]
api_keys = ["SECRET1", "SECRET2"]
[[nodes]]
name = "b"
url = "http://b:1"
api_key = "SECRET3"
[[models]]
name = "alias"
model_id = "m1"
nodes = ["b"]
strategy = "p2c"
fallbacks = ["m2"]
[[models]]
name = "off"
active = false
[router]
strategy = "p2c"
[server]
admin_listen = "127.0.0.1:9000"
tls = { cert_file = "c.pem", key_file = "k.pem" }
[auth]
auth_token = "SECRET4"
tokens = { SECRET5 = "tenant-a" }
admin_key = "SECRET6"
[store]
database_url = "postgres://user:SECRET7@host/db"
redis_url = "redis://u:SECRET8?SECRET8@SECRET9@host?password=SECRET10"
[limits]
default_rpm = 5
per_tenant_model = [{ tenant = "tenant-a", tpm = 9 }, { model = "alias", rpm = 3 }]
)"));
  for (const char* part :
       {"127.0.0.1:8000, TLS",
        "127.0.0.1:9000 for the admin API",
        "token ****, tokens of tenants: 1",
        "**** = tenant-a",
        "key ****",
        "p2c",
        "http://a:1  http://a:1, weight 2, priority 1, capacity 3",
        "at most 4 requests",
        "models m1 m2",
        "keys ****",
        "b  http://b:1, key ****",
        "alias = m1 on b by p2c, else m2",
        "off = off on every node that has it, not active",
        "sliding window: 5 requests and any number of tokens a minute",
        "tenant tenant-a, model any: any number of requests and 9 tokens a minute",
        "tenant any, model alias: 3 requests",
        "postgres://****@host/db",
        "redis://****@host?****: not used",
        "reload     30 s",
        "/health every 10 s"}) {
    CHECK_THAT(text, Contains(part));
  }
  CHECK_THAT(text, !Contains("SECRET"));
}

TEST_CASE("a configuration without identity is said to be open", "[gateway][check_config]") {
  const std::string text =
      description_of(understood("c.yaml",
                                "providers: [{ url: \"http://a:1\" }]\n"
                                "rate_limits: [{ rate: 1, burst: 7 }]\n"
                                "health: { active: false }\nreload: { interval: 0 }\n"));
  CHECK_THAT(text, Contains("none: whoever reaches it") && Contains("admin      off") &&
                       Contains("token bucket") && Contains("7 at once") &&
                       Contains("not asked for") && Contains("reload     off") &&
                       !Contains("store"));
  CHECK_THAT(description_of(understood("c.toml", "[[nodes]]\nurl = \"http://a:1\"\n")),
             Contains("limits     none"));
}

TEST_CASE("everything that is wrong is told at once", "[gateway][check_config]") {
  const gateway_test::TemporaryDirectory directory;
  const auto messages = [&](const char* name, std::string_view text,
                            const gateway::Environment& environment = {}) {
    directory.write(name, text);
    std::vector<std::string> found;
    for (const auto& fault : gateway::faults({.config = name}, environment)) {
      found.push_back(fault.message);
    }
    CHECK(gateway::load({.config = name}, environment).has_value() == found.empty());
    return found;
  };
  CHECK(messages("a.toml", "[[nodes]]\nurl = \"http://a:1\"\n").empty());

  std::vector<std::string> found = messages("a.toml",
                                            "srver = 1\n"
                                            "[[nodes]]\nurl = \"http://a:1\"\nwieght = 1\n"
                                            "[server]\nprot = 1\nport = 99999\n"
                                            "[router]\nstrategy = \"x\"\nmax_retries = -1\n");
  REQUIRE(found.size() == 6);
  CHECK_THAT(found[0], Contains("a.toml:1") && Contains("srver"));
  CHECK_THAT(found[1], Contains("a.toml:7") && Contains("server.port"));
  CHECK_THAT(found[2], Contains("a.toml:6") && Contains("server.prot"));
  CHECK_THAT(found[3], Contains("a.toml:10") && Contains("router.max_retries"));
  CHECK_THAT(found[4], Contains("a.toml:4") && Contains("wieght"));
  CHECK_THAT(found[5], Contains("a.toml:9") && Contains("router.strategy"));

  found = messages("g.yaml", "redis: {}\nhealth_check: { intervall: 1, timeot: 1 }\nfoo: 1\n");
  CHECK(found.size() == 3);
  found = messages("s.toml", "[servers]\nservers = [{ url = \"gpu:1\" }, { url = \"gpu:2\" }]\n");
  CHECK(found.size() == 1);  // what follows from a lack is no mistake of its own
  CHECK(messages("b.toml", "a = = 1\n").size() == 1);
  CHECK(messages("absent.toml", "").size() == 1);
  found = messages("a.toml",
                   "[[nodes]]\nurl = \"http://a:1\"\n[server]\nmax_body_in_flight = \"1MB\"\n");
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0], Contains("server.max_body_in_flight") && Contains("at least max_body"));
  found = messages("a.toml", "[[nodes]]\nurl = \"http://a:1\"\n", {{"MAX_RETRIES", "x"}});
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0], Contains("MAX_RETRIES"));
}

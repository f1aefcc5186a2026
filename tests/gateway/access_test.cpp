/// What a key may use, and how much of it.
#include "gateway/access.hpp"

#include <catch2/catch.hpp>

using gateway::Identity;

TEST_CASE("nobody in particular may use all", "[gateway][access]") {
  CHECK(gateway::why_not(nullptr, "any").empty());
  CHECK_FALSE(gateway::own_limits(nullptr, "any", {}));
  std::vector<std::string> models = {"a", "b"};
  gateway::keep_allowed(models, nullptr);
  CHECK(models.size() == 2);
}

TEST_CASE("a key for some models", "[gateway][access]") {
  const Identity identity{.allowed_models = {"a", "c"}};
  CHECK(gateway::why_not(&identity, "a").empty());
  CHECK(gateway::why_not(&identity, "b") == "this key may not use model \"b\"; it may use: a, c");
  std::vector<std::string> models = {"a", "b", "c"};
  gateway::keep_allowed(models, &identity);
  CHECK(models == std::vector<std::string>{"a", "c"});
}

TEST_CASE("of models that a key may not use it is not told", "[gateway][access]") {
  const Identity some{.allowed_models = {"a", "c"}};
  const Identity all{};
  llmroute::Error error{.code = llmroute::ErrorCode::model_not_found, .message = "there are: a, b"};
  CHECK(gateway::names_others(&some, error));
  CHECK_FALSE(gateway::names_others(&all, error));
  CHECK_FALSE(gateway::names_others(nullptr, error));
  CHECK(gateway::without_others(some, error, "c", {"a", "b"}).message ==
        "no model \"c\"; there are for this key: a");
  CHECK(gateway::without_others(some, error, "c", {"b"}).message ==
        "no model \"c\"; there are for this key: none");
  error.body = "{}";  // a node's own word
  CHECK_FALSE(gateway::names_others(&some, error));
}

TEST_CASE("a key's own limits go before the configured ones", "[gateway][access]") {
  const llmroute::LimitsConfig configured{.default_rpm = 60, .default_tpm = 1000};
  Identity identity{.tenant = "t"};
  SECTION("none: as configured") { CHECK_FALSE(gateway::own_limits(&identity, "m", configured)); }
  SECTION("one: the other is as configured") {
    identity.rpm = 5;
    const auto limits = gateway::own_limits(&identity, "m", configured);
    REQUIRE(limits);
    CHECK(limits->requests.per_minute == 5);
    CHECK(limits->tokens.per_minute == 1000);
  }
  SECTION("zero: no limit") {
    identity.tpm = 0;
    const auto limits = gateway::own_limits(&identity, "m", configured);
    REQUIRE(limits);
    CHECK(limits->requests.per_minute == 60);
    CHECK_FALSE(limits->tokens.any());
  }
  SECTION("of what is configured, what fits tenant and model") {
    identity.rpm = 5;
    const llmroute::LimitsConfig fitting{
        .default_tpm = 1, .per_tenant_model = {{.tenant = "t", .model = "m", .tpm = 77}}};
    CHECK(gateway::own_limits(&identity, "m", fitting)->tokens.per_minute == 77);
    CHECK(gateway::own_limits(&identity, "n", fitting)->tokens.per_minute == 1);
  }
  SECTION("and they are counted by the window, whatever the others are by") {
    identity.rpm = 5;
    const llmroute::LimitsConfig bucket{.algorithm = llmroute::RateAlgorithm::token_bucket};
    CHECK(gateway::own_limits(&identity, "m", bucket)->algorithm ==
          llmroute::RateAlgorithm::sliding_window);
  }
}

TEST_CASE("the model of a request that names none", "[gateway][access]") {
  llmroute::Router router(
      llmroute::Config{.nodes = {{.url = "http://127.0.0.1:9", .models = {"lone"}}}});
  CHECK(gateway::default_model(gateway::defaults_of({}), router) == "lone");
  const gateway::Defaults some = gateway::defaults_of({.router = {.default_model = "usual"}});
  CHECK(gateway::default_model(some, router) == "usual");
  const llmroute::Router several(
      llmroute::Config{.nodes = {{.url = "http://127.0.0.1:9", .models = {"a", "b"}}}});
  CHECK(gateway::default_model(gateway::defaults_of({}), several).empty());
}

TEST_CASE("who is behind a request is what its note says", "[gateway][access]") {
  http::Request request;
  CHECK(gateway::identity_of(request) == nullptr);
  request.note = std::make_shared<const Identity>(Identity{.tenant = "t"});
  CHECK(gateway::identity_of(request)->tenant == "t");
}

/// Entries of the file and of the store as one configuration.
#include "gateway/registry.hpp"

#include <catch2/catch.hpp>

#include "gateway/catalogue.hpp"

using gateway::BackendRecord;
using gateway::Catalogue;
using gateway::ModelRecord;
using gateway::Registry;
using llmroute::Config;

namespace {

ModelRecord stored(const std::string& name, std::vector<BackendRecord> backends = {}) {
  return {
      .id = "id-" + name, .name = name, .model_id = "org/" + name, .backends = std::move(backends)};
}

BackendRecord backend(const std::string& url, double weight = 1, bool active = true) {
  return {.id = url, .url = url, .weight = weight, .active = active};
}

Config file() {
  return {.nodes = {{.name = "gpu-1", .url = "http://GPU-1:8000/v1"}},
          .models = {{.name = "own",
                      .model_id = "org/own",
                      .nodes = {"gpu-1"},
                      .weights = {{"gpu-1", 3}},
                      .transforms = {.system_prompt_prefix = "Be \"kind\"."}}}};
}

std::vector<std::string> names(const Config& config) {
  std::vector<std::string> found;
  for (const auto& node : config.nodes) found.push_back(node.name);
  return found;
}

}  // namespace

TEST_CASE("a stored model brings its nodes along", "[gateway][registry]") {
  const Registry registry(Config{}, "");
  const std::vector<ModelRecord> models = {
      stored("a", {backend("http://x:1", 2), backend("http://y:1")}),
      stored("b", {backend("http://x:1", 5)})};
  Config config = registry.with(models);
  CHECK(names(config) == std::vector<std::string>{"http://x:1", "http://y:1"});
  REQUIRE(config.models.size() == 2);
  CHECK(config.models[0].name == "a");
  CHECK(config.models[0].model_id == "org/a");
  CHECK(config.models[0].nodes == std::vector<std::string>{"http://x:1", "http://y:1"});
  CHECK(config.models[0].weights.at("http://x:1") == 2);
  CHECK(config.models[1].weights.at("http://x:1") == 5);
  CHECK(config.prepare());
}

TEST_CASE("a node of the store is called by its URL, whoever else is there",
          "[gateway][registry]") {
  const ModelRecord one = stored("a", {backend("http://x:1/one", 1)});
  const ModelRecord two = stored("b", {backend("http://x:1/two", 1)});
  SECTION("in the store") {
    const Registry registry(Config{}, "");
    const Config both = registry.with(std::vector{one, two});
    CHECK(names(both) == std::vector<std::string>{"http://x:1/one", "http://x:1/two"});
    CHECK(both.nodes[0].url == "http://x:1/one");
    CHECK(names(registry.with(std::vector{two})) == std::vector<std::string>{"http://x:1/two"});
  }
  SECTION("in the file, where a node without a name is called by its host") {
    const Registry registry(Config{.nodes = {{.url = "http://x:1/own"}}}, "f");
    Config config = registry.with(std::vector{stored("c", {backend("http://x:1", 1)})});
    CHECK(config.nodes.back().name == "http://x:1/v1");
    CHECK(config.nodes.back().url == "http://x:1");
    CHECK(config.prepare());
  }
}

TEST_CASE("a backend may be a node of the file", "[gateway][registry]") {
  const Registry registry(file(), "llmroute.toml");
  const std::vector<ModelRecord> models = {stored("a", {backend("http://gpu-1:8000", 4)})};
  Config config = registry.with(models);
  CHECK(names(config) == std::vector<std::string>{"gpu-1"});
  CHECK(config.models[1].nodes == std::vector<std::string>{"gpu-1"});
  CHECK(config.models[1].weights.at("gpu-1") == 4);
  CHECK(config.prepare());
}

TEST_CASE("what is inactive is not asked", "[gateway][registry]") {
  const Registry registry(Config{}, "");
  ModelRecord off = stored("off", {backend("http://z:1")});
  off.active = false;
  const std::vector<ModelRecord> models = {
      stored("some", {backend("http://x:1", 1, false), backend("http://y:1")}),
      stored("none", {backend("http://x:1", 1, false)}), stored("any"), off};
  const Config config = registry.with(models);
  CHECK(names(config) == std::vector<std::string>{"http://y:1", "http://z:1"});
  CHECK(config.models[0].nodes == std::vector<std::string>{"http://y:1"});
  CHECK(config.models[0].active);
  CHECK_FALSE(config.models[1].active);  // else every node would be asked for it
  CHECK(config.models[2].active);
  CHECK(config.models[2].nodes.empty());
  CHECK_FALSE(config.models[3].active);
}

TEST_CASE("what shapes requests goes along", "[gateway][registry]") {
  ModelRecord model = stored("a");
  model.default_params = R"({"temperature":0.7})";
  model.reasoning_config = R"({"enabled":true})";
  model.transforms = R"({"system_prompt_prefix":"Be \"brief\"."})";
  Config config = Registry(Config{}, "").with({{model}});
  CHECK(config.models[0].default_params == model.default_params);
  CHECK(config.models[0].reasoning_config == model.reasoning_config);
  CHECK(config.models[0].transforms.system_prompt_prefix == "Be \"brief\".");
  CHECK(config.prepare());
}

TEST_CASE("the file's entries win, and are shown", "[gateway][registry]") {
  const Registry registry(file(), "llmroute.toml");
  CHECK(registry.source() == "llmroute.toml");
  CHECK(registry.with({{stored("own")}}).models.size() == 1);
  REQUIRE(registry.models().size() == 1);
  const ModelRecord& own = registry.models()[0];
  CHECK(registry.find("own") == &own);
  CHECK(registry.find_id(own.id) == &own);
  CHECK(registry.find("absent") == nullptr);
  CHECK(registry.find_id("absent") == nullptr);
  CHECK(own.id == Registry(file(), "elsewhere").models()[0].id);
  CHECK(own.model_id == "org/own");
  CHECK(own.transforms == R"({"system_prompt_prefix":"Be \"kind\"."})");
  CHECK(own.default_params == "{}");
  REQUIRE(own.backends.size() == 1);
  CHECK(own.backends[0].url == "http://gpu-1:8000");
  CHECK(own.backends[0].weight == 3);
  CHECK(Registry(Config{}, "").source() == "the environment");
}

TEST_CASE("a change that the router refuses leaves all as it was", "[gateway][registry]") {
  std::vector<Config> ran;
  bool refuses = false;
  Catalogue catalogue(Registry(file(), "one"), {},
                      [&](Config config) -> llmroute::Result<std::vector<std::string>> {
                        if (refuses) return llmroute::Error{.message = "no"};
                        ran.push_back(std::move(config));
                        return std::vector<std::string>{"server"};
                      });
  const auto said = catalogue.replace_stored({stored("a")});
  REQUIRE(said);
  CHECK(*said == std::vector<std::string>{"server"});
  CHECK(ran.back().models.size() == 2);

  Config empty;
  REQUIRE(catalogue.replace_file(empty, "two"));
  CHECK(ran.back().models.size() == 1);  // the stored one goes on beside another file
  CHECK(catalogue.registry()->source() == "two");

  refuses = true;
  CHECK_FALSE(catalogue.replace_file(file(), "three"));
  CHECK_FALSE(catalogue.replace_stored({}));
  CHECK(catalogue.registry()->source() == "two");
  refuses = false;
  REQUIRE(catalogue.replace_file(file(), "four"));
  CHECK(ran.back().models.size() == 2);
}

TEST_CASE("a model that cannot run is refused by its own field", "[gateway][registry]") {
  Catalogue catalogue(Registry(file(), ""), {}, [](Config) { return std::vector<std::string>{}; });
  CHECK(catalogue.check({{stored("a")}}));
  ModelRecord wrong = stored("a");
  wrong.reasoning_config = R"({"enabled":"yes"})";
  const auto checked = catalogue.check({{wrong}});
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == llmroute::ErrorCode::invalid_argument);
  CHECK(checked.error().param.starts_with("reasoning_config"));
  CHECK(checked.error().message.find("models[") == std::string::npos);
}

// What an alias adds to requests, as it is checked before any is sent.
#include "config/config_fault.hpp"

using namespace llmroute;
using namespace llmroute::test;

namespace {

std::string fault_of_defaults(const std::string& json) {
  Config config;
  config.models = {{.name = "m", .default_params = json}};
  return fault(config);
}

std::string fault_of_reasoning(const std::string& json) {
  Config config;
  config.models = {{.name = "m", .reasoning_config = json}};
  return fault(config);
}

}  // namespace

TEST_CASE("default parameters are fields that a request may lack", "[config]") {
  CHECK(fault_of_defaults(R"({"temperature":0.7,"stop":["a"],"x":{"model":"m"},"y":null})") ==
        "ok");
  CHECK(fault_of_defaults("") == "ok");
  CHECK(fault_of_defaults("{}") == "ok");
  CHECK(fault_of_defaults(R"({"model":"x"})") ==
        R"(key "models[0].default_params.model": is what the alias stands for; use model_id)");
  for (const std::string name : {"stream", "messages", "prompt", "input"}) {
    CHECK_THAT(fault_of_defaults("{\"" + name + "\":true}"),
               Catch::StartsWith("key \"models[0].default_params." + name + "\": is "));
  }
  CHECK(fault_of_defaults(R"({"a":1,"\u0061":2})") ==
        R"(key "models[0].default_params.a": is given twice)");
  CHECK_THAT(fault_of_defaults(R"({"stream_options":true})"),
             Catch::StartsWith(R"(key "models[0].default_params.stream_options": )"));
}

TEST_CASE("default parameters from a program are checked to be JSON", "[config]") {
  for (const char* json :
       {"[]", "x", R"({"a":tru})", R"({"a":1)", R"({"a":1} x)", "{\"a\":\"\xFF\"}"}) {
    CAPTURE(json);
    CHECK(fault_of_defaults(json) == R"(key "models[0].default_params": must be a table)");
    CHECK(fault_of_reasoning(json) == R"(key "models[0].reasoning_config": must be a table)");
  }
}

TEST_CASE("settings of thinking have their kinds", "[config]") {
  CHECK(fault_of_reasoning(R"({"enabled":true,"effort":"low","budget_tokens":9,"x":1})") == "ok");
  CHECK(fault_of_reasoning(R"({"enabled":"yes"})") ==
        R"(key "models[0].reasoning_config.enabled": must be true or false)");
  CHECK_THAT(fault_of_reasoning(R"({"messages":[]})"),
             Catch::StartsWith(R"(key "models[0].reasoning_config.messages": is )"));
}

TEST_CASE("a prefix of the system prompt is text", "[config]") {
  Config config;
  config.models = {{.name = "m", .transforms = {.system_prompt_prefix = "\xC3\xA9\n"}}};
  CHECK(fault(config) == "ok");
  config.models[0].transforms.system_prompt_prefix = "\xC3";
  CHECK(fault_key(config) == "models[0].transforms.system_prompt_prefix");
}

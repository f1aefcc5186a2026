// The gateway's configuration file: refused with its place and a reason, or settings whose JSON the
// library reads, or refuses with a reason.
#include <llmroute/config.hpp>

#include "fuzz/fuzz.hpp"
#include "gateway/sections.hpp"
#include "gateway/toml_source.hpp"

using namespace llmroute::fuzz;

LLMROUTE_FUZZ_TARGET(config_toml) {
  const auto setting = gateway::read_toml(input, "file.toml");
  if (!setting) {
    return require(setting.error().message.starts_with("file.toml"), "a refusal names its place");
  }
  gateway::Options options;
  const auto read = gateway::read_sections(*setting, options);
  if (!read) require(!read.error().message.empty(), "a refusal says why");
  const std::string json = gateway::to_json(*setting);
  // Shorter ones cannot be nested more deeply than simdjson reads.
  if (json.size() < 1024) require(is_json_object(json), "settings are JSON");
  const auto config = llmroute::Config::from_json(json);
  if (!config) require(!config.error().message.empty(), "a refusal says why");
}

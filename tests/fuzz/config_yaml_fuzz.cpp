// The gateway's configuration file in YAML: refused with its place and a reason, or settings whose
// JSON the library reads, or refuses with a reason; whichever product's form it has.
#include <llmroute/config.hpp>

#include "fuzz/fuzz.hpp"
#include "gateway/gateway_yaml.hpp"
#include "gateway/litellm_yaml.hpp"
#include "gateway/provider_yaml.hpp"
#include "gateway/sections.hpp"
#include "gateway/yaml_source.hpp"

using namespace llmroute::fuzz;
using llmroute::Result;

namespace {

/// No variable of the machine that this runs on.
std::optional<std::string> variable(std::string_view name) {
  if (name.size() % 2 == 1) return std::nullopt;
  return std::string(name);
}

Result<gateway::Setting> translated(const gateway::Setting& setting, std::string_view input) {
  if (gateway::is_litellm_yaml(setting)) {
    auto expanded = gateway::read_yaml(input, "file.yaml", gateway::litellm_expansion(variable));
    if (!expanded || !gateway::is_litellm_yaml(*expanded)) return expanded;
    return gateway::from_litellm_yaml(std::move(*expanded));
  }
  if (gateway::is_gateway_yaml(setting)) {
    auto expanded =
        gateway::read_yaml(input, "file.yaml", gateway::gateway_yaml_expansion(variable));
    if (!expanded) return expanded;
    return gateway::from_gateway_yaml(std::move(*expanded));
  }
  return gateway::from_provider_yaml(setting);
}

}  // namespace

LLMROUTE_FUZZ_TARGET(config_yaml) {
  const auto read = gateway::read_yaml(input, "file.yaml");
  if (!read) {
    require(read.error().message.find('\n') == std::string::npos, "a refusal is one line");
    return require(read.error().message.starts_with("file.yaml"), "a refusal names its place");
  }
  const auto setting = translated(*read, input);
  if (!setting) return require(!setting.error().message.empty(), "a refusal says why");
  gateway::Options options;
  const auto sections = gateway::read_sections(*setting, options);
  if (!sections) require(!sections.error().message.empty(), "a refusal says why");
  const std::string json = gateway::to_json(*setting);
  require(is_json_object(json), "settings are JSON");
  const auto config = llmroute::Config::from_json(json);
  if (!config) require(!config.error().message.empty(), "a refusal says why");
}

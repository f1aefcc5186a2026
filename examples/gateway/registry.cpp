/// Models of the store into nodes and models of the router, and models of the file into records.
#include "registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "json_value.hpp"
#include "node_url.hpp"
#include "unique.hpp"

namespace gateway {
namespace {

using llmroute::Config;
using llmroute::ModelConfig;
using llmroute::NodeConfig;

std::string url_of(const NodeConfig& node) { return node_url(node.url).value_or(node.url); }

std::string without_path(const std::string& url) {
  return url.substr(0, url.find('/', url.find("://") + 3));
}

std::string name_of(const NodeConfig& node) {
  return node.name.empty() ? without_path(node.url) : node.name;
}

/// Nodes by URL, the file's and those that models of the store bring along. A name is what a node
/// keeps its history by, so that of a stored one hangs on its URL alone, not on who else is there.
class Nodes {
 public:
  explicit Nodes(Config& config) : config_(config) {
    for (const NodeConfig& node : config.nodes) {
      names_.emplace(url_of(node), name_of(node));
      taken_.insert(name_of(node));
    }
  }

  const std::string& name_for(const std::string& url) {
    const auto [at, is_new] = names_.try_emplace(url, url);
    if (!is_new) return at->second;
    if (taken_.count(url) != 0) at->second += "/v1";  // the same place, as a URL of its own
    config_.nodes.push_back({.name = at->second, .url = url});
    return at->second;
  }

 private:
  Config& config_;
  std::map<std::string, std::string> names_;
  std::set<std::string> taken_;
};

constexpr std::string_view prefix_field = "system_prompt_prefix";

llmroute::TransformsConfig transforms_of(const ModelRecord& model) {
  llmroute::TransformsConfig transforms;
  const auto members = read_object(model.transforms);
  if (!members) return transforms;
  for (const JsonMember& member : *members) {
    if (member.name != prefix_field) continue;
    transforms.system_prompt_prefix = member.value.text().value_or(std::string());
  }
  return transforms;
}

ModelConfig config_of(const ModelRecord& model, Nodes& nodes) {
  ModelConfig config{.name = model.name,
                     .model_id = model.model_id,
                     .default_params = model.default_params,
                     .reasoning_config = model.reasoning_config,
                     .transforms = transforms_of(model),
                     .active = model.active};
  for (const BackendRecord& backend : model.backends) {
    if (!backend.active) continue;
    const std::string& name = nodes.name_for(backend.url);
    config.nodes.push_back(name);
    config.weights[name] = backend.weight;
  }
  if (!model.backends.empty() && config.nodes.empty()) config.active = false;
  return config;
}

BackendRecord record_of(const NodeConfig& node, const ModelConfig& model, Timestamp now) {
  const auto own = model.weights.find(name_of(node));
  return {.id = uuid_of(fmt::format("backend {} {}", model.name, name_of(node))),
          .url = url_of(node),
          .weight = own != model.weights.end() ? own->second : node.weight,
          .created_at = now,
          .updated_at = now};
}

std::string object_of(const std::string& json) { return json.empty() ? "{}" : json; }

ModelRecord record_of(const ModelConfig& model, const Config& file, Timestamp now) {
  ModelRecord record{.id = uuid_of("model " + model.name),
                     .name = model.name,
                     .model_id = model.model_id.empty() ? model.name : model.model_id,
                     .active = model.active,
                     .default_params = object_of(model.default_params),
                     .reasoning_config = object_of(model.reasoning_config),
                     .created_at = now,
                     .updated_at = now};
  if (const std::string& prefix = model.transforms.system_prompt_prefix; !prefix.empty()) {
    record.transforms = JsonWriter().add(prefix_field, prefix).end();
  }
  for (const std::string& name : model.nodes) {
    const auto node = std::find_if(file.nodes.begin(), file.nodes.end(),
                                   [&](const NodeConfig& one) { return name_of(one) == name; });
    if (node != file.nodes.end()) record.backends.push_back(record_of(*node, model, now));
  }
  return record;
}

template <class Matches>
const ModelRecord* first(const std::vector<ModelRecord>& models, Matches matches) {
  const auto found = std::find_if(models.begin(), models.end(), matches);
  return found == models.end() ? nullptr : &*found;
}

}  // namespace

Registry::Registry(Config file, std::string source)
    : file_(std::move(file)), source_(source.empty() ? "the environment" : std::move(source)) {
  const Timestamp now = now_timestamp();
  for (const ModelConfig& model : file_.models) models_.push_back(record_of(model, file_, now));
}

Config Registry::with(std::span<const ModelRecord> stored) const {
  Config config = file_;
  Nodes nodes(config);
  for (const ModelRecord& model : stored) {
    if (find(model.name) == nullptr) config.models.push_back(config_of(model, nodes));
  }
  return config;
}

const ModelRecord* Registry::find(std::string_view name) const noexcept {
  return first(models_, [&](const ModelRecord& model) { return model.name == name; });
}

const ModelRecord* Registry::find_id(std::string_view id) const noexcept {
  return first(models_, [&](const ModelRecord& model) { return model.id == id; });
}

}  // namespace gateway

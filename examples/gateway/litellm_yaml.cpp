/// The settings are a table of keys; models and fallbacks have files of their own.
#include "litellm_yaml.hpp"

#include <fmt/format.h>

#include <array>

#include "litellm_fallbacks.hpp"
#include "litellm_models.hpp"
#include "rename.hpp"

namespace gateway {
namespace {

using llmroute::Result;

constexpr std::array<Rename, 17> file_keys = {{
    {"router_settings.routing_strategy", "router.strategy", std::string_view("simple-shuffle")},
    {"router_settings.num_retries", "router.max_retries", std::int64_t{2}},
    {"litellm_settings.num_retries", "router.max_retries"},
    {"router_settings.timeout", "timeouts.attempt"},
    {"litellm_settings.request_timeout", "timeouts.attempt"},
    {"router_settings.allowed_fails", "breaker.consecutive_failures", std::int64_t{3}},
    {"litellm_settings.allowed_fails", "breaker.consecutive_failures"},
    {"router_settings.cooldown_time", "breaker.open", std::int64_t{5}},
    {"router_settings.cooldown_time", "breaker.max_open",
     std::int64_t{5}},  // it does not grow there
    {"router_settings.fallbacks", "chains.fallbacks"},
    {"litellm_settings.fallbacks", "chains.fallbacks"},
    {"router_settings.context_window_fallbacks", "chains.context_window_fallbacks"},
    {"litellm_settings.context_window_fallbacks", "chains.context_window_fallbacks"},
    {"router_settings.default_fallbacks", "chains.default_fallbacks"},
    {"litellm_settings.default_fallbacks", "chains.default_fallbacks"},
    {"general_settings.master_key", "auth.auth_token"},
    {"general_settings.database_url", "store.database_url"},
}};

/// Their names of strategies that have no like one here. Usage-based is the least use of what a
/// deployment may have: the least load, its share being its weight.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> strategies = {{
    {"usage-based-routing", "least_loaded"},
    {"usage-based-routing-v2", "least_loaded"},
}};

/// One more failure than is allowed closes a deployment for a while; and the names of strategies.
void turn_values(Setting& ours) {
  Setting failures = *ours.find("breaker.consecutive_failures");
  if (auto* allowed = std::get_if<std::int64_t>(&failures.value); allowed && *allowed < 1'000'000) {
    ++*allowed;
  }
  ours.set("breaker.consecutive_failures", std::move(failures));
  Setting strategy = *ours.find("router.strategy");
  auto* name = std::get_if<std::string>(&strategy.value);
  for (const auto& [theirs, like] : strategies) {
    if (name != nullptr && *name == theirs) *name = like;
  }
  ours.set("router.strategy", std::move(strategy));
}

bool is_secret(std::string_view key) {
  return key.ends_with(".api_key") || key.find(".extra_headers.") != key.npos;
}

}  // namespace

bool is_litellm_yaml(const Setting& document) { return document.find("model_list") != nullptr; }

Expand litellm_expansion(Lookup lookup) {
  return
      [lookup = std::move(lookup)](std::string_view key, std::string text) -> Result<std::string> {
        const std::string_view name = environ_name(text);
        if (name.empty()) return text;
        std::string variable = fmt::format("${{{}}}", name);
        if (is_secret(key)) return variable;
        return expand_variables(variable, lookup);
      };
}

Result<Setting> from_litellm_yaml(Setting document) {
  const std::optional<Setting> list = take(document, "model_list");
  auto groups = read_groups(*list);
  if (!groups) return std::move(groups.error());
  auto ours = rename(document, file_keys, {"model_list"});
  if (!ours) return ours;
  const Setting chains = take(*ours, "chains").value_or(Setting{});
  turn_values(*ours);
  if (auto put = put_groups(std::move(*groups), *ours); !put) return put.error();
  Setting models = *take(*ours, "models");
  auto put = put_fallbacks(chains, std::get<Setting::Array>(models.value));
  if (!put) return put.error();
  ours->set("models", std::move(models));
  return ours;
}

}  // namespace gateway

#include "router/settings.hpp"

#include <llmroute/core/make_strategy.hpp>

namespace llmroute::detail {

namespace {

/// Prepared text can be read.
ModelSettings read_model(const ModelConfig& config) {
  ModelSettings model{.config = &config};
  if (!config.default_params.empty()) {
    model.defaults = wire::read_fields(config.default_params).value_or(std::vector<wire::Field>{});
  }
  if (!config.reasoning_config.empty()) {
    model.reasoning = wire::read_reasoning(config.reasoning_config).value_or(wire::Reasoning{});
  }
  return model;
}

template <class T>
void keep(std::vector<std::string>& kept, std::string_view name, const T& running, T& fresh) {
  if (fresh == running) return;
  fresh = running;
  kept.emplace_back(name);
}

}  // namespace

Settings::Settings(Config prepared, const Settings* before)
    : config(std::move(prepared)), number(before != nullptr ? before->number + 1 : 1) {
  const bool same = before != nullptr && before->config.router.strategy == config.router.strategy;
  strategy = same ? before->strategy : make_strategy(config.router.strategy);
  for (const ModelConfig& alias : config.models) {
    if (!alias.active) continue;
    ModelSettings& model = models.emplace(alias.name, read_model(alias)).first->second;
    if (alias.strategy.empty()) continue;
    const ModelSettings* old = before != nullptr ? before->model(alias.name) : nullptr;
    const bool goes_on = old != nullptr && old->config->strategy == alias.strategy;
    model.strategy = goes_on ? old->strategy : make_strategy(alias.strategy);
  }
}

const ModelSettings* Settings::model(std::string_view name) const noexcept {
  if (models.empty()) return nullptr;
  const auto found = models.find(name);
  return found == models.end() ? nullptr : &found->second;
}

std::vector<std::string> keep_until_next_start(const Config& running, Config& fresh) {
  std::vector<std::string> kept;
  const RouterConfig& router = running.router;
  keep(kept, "router.unlisted_models", router.unlisted_models, fresh.router.unlisted_models);
  keep(kept, "router.retry_budget", router.retry_budget, fresh.router.retry_budget);
  keep(kept, "router.retry_floor", router.retry_floor, fresh.router.retry_floor);
  keep(kept, "router.all_down", router.all_down, fresh.router.all_down);
  keep(kept, "router.seed", router.seed, fresh.router.seed);
  keep(kept, "backpressure", running.backpressure, fresh.backpressure);
  keep(kept, "health", running.health, fresh.health);
  keep(kept, "breaker", running.breaker, fresh.breaker);
  keep(kept, "hedge", running.hedge, fresh.hedge);
  return kept;
}

}  // namespace llmroute::detail

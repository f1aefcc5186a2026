/// Models and limits of a key.
#include "access.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gateway {

std::string default_model(const Defaults& defaults, const llmroute::Router& router) {
  if (!defaults.model.empty()) return defaults.model;
  const std::vector<std::string> models = router.snapshot().models;
  return models.size() == 1 ? models.front() : std::string();
}

std::string why_not(const Identity* identity, std::string_view model) {
  if (identity == nullptr || identity->may_use(model)) return {};
  return fmt::format("this key may not use model \"{}\"; it may use: {}", model,
                     fmt::join(identity->allowed_models, ", "));
}

std::optional<llmroute::RateLimits> own_limits(const Identity* identity, std::string_view model,
                                               const llmroute::LimitsConfig& limits) {
  if (identity == nullptr || (!identity->rpm && !identity->tpm)) return std::nullopt;
  llmroute::RateLimits own = limits.of(identity->tenant, model);
  if (identity->rpm) own.requests = {.per_minute = *identity->rpm};
  if (identity->tpm) own.tokens = {.per_minute = *identity->tpm};
  own.algorithm = llmroute::RateAlgorithm::sliding_window;  // in no minute more than is written
  return own;
}

bool names_others(const Identity* identity, const llmroute::Error& error) {
  return identity != nullptr && !identity->allowed_models.empty() && error.body.empty() &&
         error.code == llmroute::ErrorCode::model_not_found;
}

llmroute::Error without_others(const Identity& identity, const llmroute::Error& error,
                               std::string_view model, std::vector<std::string> models) {
  keep_allowed(models, &identity);
  llmroute::Error own = error;
  own.message = fmt::format(
      "no model \"{}\"; there are for this key: {}", model,
      models.empty() ? std::string("none") : fmt::format("{}", fmt::join(models, ", ")));
  return own;
}

void keep_allowed(std::vector<std::string>& models, const Identity* identity) {
  if (identity == nullptr) return;
  std::erase_if(models, [&](const std::string& model) { return !identity->may_use(model); });
}

}  // namespace gateway

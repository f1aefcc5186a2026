/// What an identity may do, where that needs the configuration as well.
#pragma once

#include <http/message.hpp>
#include <llmroute/router.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity.hpp"

namespace gateway {

/// Who is behind a request that has been let in, as the front has noted it; null: nobody in
/// particular.
inline const Identity* identity_of(const http::Request& request) noexcept {
  return static_cast<const Identity*>(request.note.get());
}

/// What of the router's configuration requests are judged by.
struct Defaults {
  std::string model{};
  llmroute::LimitsConfig limits{};
};
inline Defaults defaults_of(const llmroute::Config& config) {
  return {.model = config.router.default_model, .limits = config.limits};
}

/// The model that a request will be for that names none: the configured one, or else the only one
/// there is; empty: neither.
std::string default_model(const Defaults& defaults, const llmroute::Router& router);

/// Why this caller may not use `model`, in words; empty: it may. Null is nobody in particular, who
/// may use all.
std::string why_not(const Identity* identity, std::string_view model);

/// The limits that a key has of its own; what it leaves open is as configured for its tenant. None:
/// all is as configured.
std::optional<llmroute::RateLimits> own_limits(const Identity* identity, std::string_view model,
                                               const llmroute::LimitsConfig& limits);

/// Whether an error tells of models that this caller may not use: the router lists what there is.
bool names_others(const Identity* identity, const llmroute::Error& error);

/// The same error with those of the models there are that the key may use.
llmroute::Error without_others(const Identity& identity, const llmroute::Error& error,
                               std::string_view model, std::vector<std::string> models);

/// Leaves what the caller may use.
void keep_allowed(std::vector<std::string>& models, const Identity* identity);

}  // namespace gateway

/// What an alias adds to requests, checked before any is sent with it.
#pragma once

#include <llmroute/core/node_config.hpp>
#include <string>

#include "config_section.hpp"

namespace llmroute::detail {

/// default_params, reasoning_config and transforms of the model at `path` ("models[0]").
void check_shaping(const ModelConfig& model, const std::string& path, ConfigFault& fault);

}  // namespace llmroute::detail

/// The form of LiteLLM's files: a model_list of deployments, and router_settings.
#pragma once

#include <llmroute/result.hpp>

#include "expand.hpp"
#include "setting.hpp"
#include "yaml_source.hpp"

namespace gateway {

bool is_litellm_yaml(const Setting& document);

/// Puts os.environ/NAME into its values while it is read. Of keys `${NAME}` is made, which the
/// library reads: the tree never holds them.
Expand litellm_expansion(Lookup lookup);

/// Our own tree, with that product's documented defaults where keys are left out. A deployment
/// becomes a node, those of one model_name a model.
llmroute::Result<Setting> from_litellm_yaml(Setting document);

}  // namespace gateway

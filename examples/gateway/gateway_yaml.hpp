/// The form of gateway.yaml: a gateway whose models and keys are in a database.
#pragma once

#include <llmroute/result.hpp>

#include "expand.hpp"
#include "setting.hpp"
#include "yaml_source.hpp"

namespace gateway {

bool is_gateway_yaml(const Setting& document);

/// Puts `${VAR}` into its values while it is read. An unset one is an error, except where there is
/// something to go on with: the embedded store, limits of this process, no admin API.
Expand gateway_yaml_expansion(Lookup lookup);

/// Our own tree, with that product's documented defaults where keys are left out.
llmroute::Result<Setting> from_gateway_yaml(Setting document);

}  // namespace gateway

/// Our own tree in YAML, in the words of those who speak of providers and tenants.
#pragma once

#include <llmroute/result.hpp>

#include "setting.hpp"

namespace gateway {

/// Our own tree. `providers` become nodes (type: provider), a model's `candidates` its nodes,
/// `tenants` auth.tokens, `rate_limits` (requests a second, with a burst) limits by a token bucket,
/// `retry` and `circuit_breaker` keys of [router] and [breaker]. All else stays as it is.
llmroute::Result<Setting> from_provider_yaml(Setting document);

}  // namespace gateway

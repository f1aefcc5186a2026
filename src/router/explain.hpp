/// Why a request would go where it goes.
#pragma once

#include <llmroute/router.hpp>

namespace llmroute::detail {

class RouterCore;

Result<Explanation> explain(RouterCore& core, const Request& request);

}  // namespace llmroute::detail

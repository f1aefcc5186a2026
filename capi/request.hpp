/// A request as C gives it, as the library takes it.
#pragma once

#include <llmroute/router.hpp>

#include "boundary.hpp"

namespace llmroute::capi {

/// Views stay those of the caller; header fields are copied.
Result<Request> request_in(const char* json, std::size_t len, const llmroute_call_options* options);

}  // namespace llmroute::capi

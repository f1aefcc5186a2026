/// llmroute_headers is a Headers seen from C: the pointer is the same.
#pragma once

#include <llmroute/headers.hpp>

#include "llmroute.h"

namespace llmroute::capi {

inline const llmroute_headers* headers_out(const Headers& headers) noexcept {
  return reinterpret_cast<const llmroute_headers*>(&headers);
}

}  // namespace llmroute::capi

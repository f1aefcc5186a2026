/// A piece of a stream as C reads it.
#pragma once

#include <llmroute/router.hpp>

#include "boundary.hpp"
#include "llmroute.h"

namespace llmroute::capi {

inline llmroute_event event_out(const Event& event) noexcept {
  llmroute_event out{};
  out.data = text_out(event.data, &out.data_len);
  out.raw = text_out(event.raw, &out.raw_len);
  return out;
}

}  // namespace llmroute::capi

/// The object behind llmroute_error.
#pragma once

#include <llmroute/error.hpp>

#include "handle.hpp"
#include "llmroute.h"

struct llmroute_error final : llmroute::capi::Handle {
  static constexpr auto kind = llmroute::capi::Kind::error;
  explicit llmroute_error(llmroute::Error why) noexcept : Handle(kind), error(std::move(why)) {}
  void release() noexcept override { error = {}; }

  llmroute::Error error;
};

/// The object behind llmroute_reply: an answer of its own, or a look at what a stream keeps.
#pragma once

#include <llmroute/router.hpp>

#include "handle.hpp"
#include "llmroute.h"

struct llmroute_reply final : llmroute::capi::Handle {
  static constexpr auto kind = llmroute::capi::Kind::reply;
  explicit llmroute_reply(llmroute::Reply&& whole) noexcept : Handle(kind), own(std::move(whole)) {}
  explicit llmroute_reply(const llmroute::Reply* of_stream) noexcept
      : Handle(kind), is_part(true), borrowed(of_stream) {}
  void release() noexcept override { own = {}; }

  const llmroute::Reply& get() const noexcept { return borrowed != nullptr ? *borrowed : own; }

  const bool is_part = false;  // of a stream, and not to be freed alone
  llmroute::Reply own{};
  const llmroute::Reply* borrowed = nullptr;
};

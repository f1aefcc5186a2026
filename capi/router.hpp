/// The object behind llmroute_router.
#pragma once

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>
#include <optional>

#include "handle.hpp"
#include "llmroute.h"
#include "loop.hpp"

struct llmroute_router final : llmroute::capi::Handle {
  static constexpr auto kind = llmroute::capi::Kind::router;
  explicit llmroute_router(llmroute::Router&& made) noexcept
      : Handle(kind), router(std::move(made)) {}
  void release() noexcept override {
    router.reset();
    maintained_on.reset();
  }

  std::shared_ptr<llmroute::capi::OwnLoop> maintained_on{};  // outlives the router
  std::optional<llmroute::Router> router;
  std::atomic<bool> called{false};  // from then on strategy and observers stay
};

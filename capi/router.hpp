/// The object behind llmroute_router.
#pragma once

#include <atomic>
#include <llmroute/router.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "handle.hpp"
#include "llmroute.h"
#include "loop.hpp"

struct llmroute_router final : llmroute::capi::Handle {
  static constexpr auto kind = llmroute::capi::Kind::router;
  explicit llmroute_router(llmroute::Router&& made) noexcept
      : Handle(kind), router(std::move(made)) {}
  void release() noexcept override {
    router.reset();
    strategy.reset();
    maintained_on.reset();
  }

  /// From now on strategy and observers stay, for they are in use. Whether they were not before.
  /// Cheap from the second time on. Any thread.
  bool settle() {
    if (settled_.load(std::memory_order_acquire)) return false;
    const std::lock_guard lock(mutex_);
    return !settled_.exchange(true, std::memory_order_release);
  }

  /// `change()` while nothing is in use yet; false: it is too late. Any thread.
  template <class F>
  bool unless_settled(F&& change) {
    const std::lock_guard lock(mutex_);
    if (settled_.load(std::memory_order_relaxed)) return false;
    std::forward<F>(change)();
    return true;
  }

  std::shared_ptr<llmroute::capi::OwnLoop> maintained_on{};  // outlives the router
  std::optional<llmroute::Router> router;
  std::shared_ptr<llmroute::Strategy> strategy{};  // the caller's own, if any; under unless_settled

 private:
  std::mutex mutex_;  // between changes and the first use
  std::atomic<bool> settled_{false};
};

/// The limits of one process: RateLimiter as a store that answers at once.
#pragma once

#include <llmroute/rate_store.hpp>

namespace llmroute::detail {

class LocalRates final : public RateStore {
 public:
  std::optional<RateDecision> reserve(const RateRequest& request, const LaterMaker&) override;
  void reset_after_fork() noexcept override { limiter_.reset_after_fork(); }

 private:
  RateLimiter limiter_{};
};

}  // namespace llmroute::detail

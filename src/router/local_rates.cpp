#include "router/local_rates.hpp"

#include <utility>

namespace llmroute::detail {

namespace {

class LocalHold final : public RateHold {
 public:
  explicit LocalHold(RateReservation reservation) noexcept : reservation_(std::move(reservation)) {}
  void progress(std::int64_t tokens, Time now) noexcept override {
    reservation_.progress(tokens, now);
  }
  void settle(std::int64_t tokens, Time now) noexcept override { reservation_.settle(tokens, now); }

 private:
  RateReservation reservation_;
};

}  // namespace

std::optional<RateDecision> LocalRates::reserve(const RateRequest& request, const LaterMaker&) {
  RateGrant grant = limiter_.reserve(request.subject, request.limits, request.tokens, request.now);
  RateDecision decision{.granted = grant.granted,
                        .standing = {grant.requests, grant.tokens},
                        .retry_after = grant.retry_after};
  if (grant.granted) decision.hold = std::make_unique<LocalHold>(std::move(grant.reservation));
  return decision;
}

}  // namespace llmroute::detail

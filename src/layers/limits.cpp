#include "layers/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "router/call_state.hpp"
#include "router/rate_answer.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

net::Task<Result<Reply>> end_with(Error error) { co_return error; }

/// The model that a call counts for. Of what is passed on a caller may say any name: those that
/// neither a node nor a limit knows count together, or each would have a limit of its own.
std::string_view counted_model(const CallState& call) {
  if (!call.pick.model.empty()) return call.model;
  const std::vector<TenantModelLimits>& named = call.config().limits.per_tenant_model;
  const bool is_named = std::any_of(named.begin(), named.end(),
                                    [&](const auto& limit) { return limit.model == call.model; });
  return is_named ? std::string_view(call.model) : std::string_view();
}

RateLimits limits_of(const CallState& call, std::string_view model) {
  const CallOptions& options = call.request.options;
  return options.limits ? *options.limits : call.config().limits.of(options.tenant, model);
}

/// A text that no other tenant and model have: neither holds this byte.
std::string subject_of(const CallState& call, std::string_view model) {
  std::string subject(call.request.options.tenant);
  return subject.append(1, '\0').append(model);
}

/// The limit that takes longest to let it through is the one to name.
Error over_limit(const CallState& call, const RateDecision& decision) {
  const auto& [requests, tokens] = decision.standing;
  const bool by_requests = requests.limit > 0 && requests.remaining == 0;
  Error error = call.fail(
      ErrorCode::rate_limited,
      fmt::format("the limit of {} {} a minute for model \"{}\" is reached, {} are left; "
                  "again in {:.3g} s",
                  by_requests ? requests.limit : tokens.limit, by_requests ? "requests" : "tokens",
                  call.model, by_requests ? requests.remaining : tokens.remaining,
                  seconds(decision.retry_after)));
  error.retry_after = decision.retry_after;
  return error;
}

/// Keeps what was granted, or says why nothing was.
std::optional<Error> take(CallState& call, RateDecision decision) {
  call.rate = decision.standing;
  if (!decision.granted) return over_limit(call, decision);
  call.rate_hold = std::move(decision.hold);
  return std::nullopt;
}

net::Task<Result<Reply>> await_decision(CallState& call, std::unique_ptr<RateAnswer> answer,
                                        Next next) {
  {
    RateAnswer::Wait wait(*answer);
    RateDecision decision = co_await wait;
    std::optional<Error> refused = take(call, std::move(decision));
    if (refused) co_return std::move(*refused);
  }
  answer.reset();
  Result<Reply> result = co_await next(call);
  co_return result;
}

}  // namespace

net::Task<Result<Reply>> LimitsLayer::handle(CallState& call, Next next) {
  const std::string_view model = counted_model(call);
  const RateLimits limits = limits_of(call, model);
  if (!limits.any() || call.request.method != HttpMethod::post) return next(call);
  const std::string subject = subject_of(call, model);
  std::unique_ptr<RateAnswer> answer;
  const auto later = [&answer, &call] {
    answer = std::make_unique<RateAnswer>(call.loop);
    return answer->receiver();
  };
  std::optional<RateDecision> decision = call.core.rates().reserve(
      {.subject = subject,
       .limits = limits,
       .tokens = call.pick.prompt_tokens + std::int64_t{call.pick.output_tokens},
       .now = call.loop.now()},
      later);
  if (!decision) return await_decision(call, std::move(answer), next);
  std::optional<Error> refused = take(call, std::move(*decision));
  return refused ? end_with(std::move(*refused)) : next(call);
}

}  // namespace llmroute::detail

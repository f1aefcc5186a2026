#include "layers/fallback.hpp"

#include "router/call_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// Whether another model may do what this one's nodes could not: they are exhausted, not the
/// request at fault.
bool exhausted(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::no_healthy_node:
    case ErrorCode::connect_failed:
    case ErrorCode::tls_failed:
    case ErrorCode::upstream_timeout:
    case ErrorCode::upstream_error:
    case ErrorCode::bad_upstream:
    case ErrorCode::rate_limited:
    case ErrorCode::stream_interrupted:  // before its first content
      return true;
    default:
      return false;
  }
}

/// A stream that has begun may be had again, whole, from another model.
bool worth_falling_back(const CallState& call, const Error& error) noexcept {
  if (!call.committed) return exhausted(error);
  return error.code == ErrorCode::stream_interrupted && call.resume() != Resume::off &&
         call.ledger.resumable();
}

net::Task<Result<Reply>> down_the_chain(CallState& call, Next next, const ModelConfig& model) {
  Result<Reply> result = co_await next(call);
  for (const std::string& fallback : model.fallbacks) {
    if (result || !worth_falling_back(call, result.error())) break;
    if (call.retries_left <= 0 || !call.core.budget().take(call.loop.now())) break;
    --call.retries_left;
    call.tried.clear();           // the same node may serve the other model well
    call.ledger.forget_tokens();  // another model's mean something else
    call.pick.model = fallback;
    result = co_await next(call);
  }
  co_return result;
}

}  // namespace

net::Task<Result<Reply>> FallbackLayer::handle(CallState& call, Next next) {
  const ModelConfig* model = call.core.model(call.model);
  if (model == nullptr || model->fallbacks.empty()) return next(call);
  return down_the_chain(call, next, *model);
}

}  // namespace llmroute::detail

#include "layers/fallback.hpp"

#include <algorithm>

#include "layers/ask_model.hpp"
#include "router/call_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// Whether another model may do what this one's nodes could not: they are exhausted, not the
/// request at fault.
bool exhausted(const CallState& call, const Error& error) noexcept {
  if (call.given_up_for) return traits(*call.given_up_for).elsewhere;
  switch (error.code) {  // nobody was asked
    case ErrorCode::no_healthy_node:
    case ErrorCode::rate_limited:
    case ErrorCode::queue_full:
    case ErrorCode::queue_timeout:
      return true;
    default:
      return false;
  }
}

/// A stream that has begun may be had again, whole, from another model.
bool may_be_had_again(const CallState& call, const Error& error) noexcept {
  return error.code == ErrorCode::stream_interrupted && call.resume() != Resume::off &&
         call.ledger.resumable();
}

/// An alias that is not active is passed over.
bool may_be_asked(const PoolSnapshot& pool, const std::string& model) noexcept {
  const ModelConfig* alias = pool.alias(model);
  return alias == nullptr || alias->active;
}

/// The two chains of a model, and how far each has been gone.
class Chains {
 public:
  Chains(const ModelConfig& model, const PoolSnapshot& pool) : model_(model), pool_(pool) {}

  /// Whether there is one for when the present model's nodes are exhausted.
  bool left() const {
    return std::any_of(model_.fallbacks.begin() + static_cast<std::ptrdiff_t>(general_),
                       model_.fallbacks.end(),
                       [&](const std::string& name) { return may_be_asked(pool_, name); });
  }

  /// The model to ask next; null: the error stands.
  const std::string* next(const CallState& call, const Error& error) noexcept {
    if (!call.committed && call.given_up_for == FailureKind::context_length) {
      return step(model_.context_window_fallbacks, context_window_);
    }
    const bool on = call.committed ? may_be_had_again(call, error) : exhausted(call, error);
    return on ? step(model_.fallbacks, general_) : nullptr;
  }

 private:
  const std::string* step(const std::vector<std::string>& chain, std::size_t& at) const noexcept {
    while (at < chain.size() && !may_be_asked(pool_, chain[at])) ++at;
    return at < chain.size() ? &chain[at++] : nullptr;
  }

  const ModelConfig& model_;
  const PoolSnapshot& pool_;
  std::size_t general_ = 0;
  std::size_t context_window_ = 0;
};

net::Task<Result<Reply>> down_the_chain(CallState& call, Next next, const ModelConfig& model) {
  Chains chains(model, *call.snapshot);
  call.fallback_left = chains.left();
  Result<Reply> result = co_await next(call);
  std::size_t paid_for = 0;  // attempts
  while (!result) {
    const std::string* fallback = chains.next(call, result.error());
    if (fallback == nullptr) break;
    if (call.attempts.size() > paid_for) {  // where nobody was asked, nothing is repeated
      if (call.retries_left <= 0 || !call.core.budget().take(call.loop.now())) break;
      --call.retries_left;
      paid_for = call.attempts.size();
    }
    call.tried.clear();
    call.ledger.forget_tokens();  // another model's mean something else
    call.given_up_for.reset();
    call.fallback_left = chains.left();
    ask_model(call, *fallback);
    result = co_await next(call);
  }
  co_return result;
}

}  // namespace

net::Task<Result<Reply>> FallbackLayer::handle(CallState& call, Next next) {
  if (call.alias == nullptr) return next(call);
  const ModelConfig& model = *call.alias->config;
  const bool lone = model.fallbacks.empty() && model.context_window_fallbacks.empty();
  return lone ? next(call) : down_the_chain(call, next, model);
}

}  // namespace llmroute::detail

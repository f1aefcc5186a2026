/// Where the limits of tenants are kept. The router's own store counts in the process and answers
/// at once; a host that runs several processes gives it one that they share, which answers later.
#pragma once

#include <cstdint>
#include <functional>
#include <llmroute/core/rate_limiter.hpp>
#include <memory>
#include <optional>
#include <string_view>

namespace llmroute {

/// What a call in flight has taken. Its destructor gives back what was not spent: a call that fails
/// or is cancelled has none of it. One thread at a time.
class RateHold {
 public:
  virtual ~RateHold() = default;

  /// So many tokens are spent by now, in all; while a stream runs, with each event.
  virtual void progress(std::int64_t tokens, Time now) noexcept = 0;

  /// The call has ended well, with so many tokens in all.
  virtual void settle(std::int64_t tokens, Time now) noexcept = 0;
};

/// A call that wants to start: one request, and as many tokens as it is expected to take.
struct RateRequest {
  std::string_view subject;  ///< a tenant and a model, as one text
  RateLimits limits{};
  std::int64_t tokens = 0;
  Time now{};
};

struct RateDecision {
  bool granted = true;
  std::unique_ptr<RateHold> hold{};  ///< of a granted call
  RateReport standing{};
  Duration retry_after{};  ///< of a refused one
};

/// Thread safe. A store that cannot be reached decides by itself what that means; the call waits
/// for its decision as long as its deadline allows.
///
///     std::optional<RateDecision> reserve(const RateRequest& request,
///                                         const LaterMaker& later) override {
///       server_.ask(request, [answer = later()](bool fits) { answer({.granted = fits}); });
///       return std::nullopt;
///     }
class RateStore {
 public:
  using Later = std::function<void(RateDecision)>;
  using LaterMaker = std::function<Later()>;

  virtual ~RateStore() = default;

  /// The decision, or none yet: then the function that `later()` makes is called with it once, from
  /// any thread, also before this one has returned. It may come when the call is over already: the
  /// hold is then destroyed.
  virtual std::optional<RateDecision> reserve(const RateRequest& request,
                                              const LaterMaker& later) = 0;

  /// In a forked child, before anything else.
  virtual void reset_after_fork() noexcept {}
};

}  // namespace llmroute

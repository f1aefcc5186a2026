/// A call's steps. Each layer waits for what its step needs, asks a policy for the decision, and
/// calls the rest of the chain; what was taken is given back by destructors, since a cancelled call
/// is a destroyed coroutine.
#pragma once

#include <llmroute/result.hpp>
#include <llmroute/router.hpp>
#include <span>

#include "net/task.hpp"

namespace llmroute::detail {

class Layer;
struct CallState;

/// The layers below. Two words, copied into each frame; may be called more than once. The chain it
/// points into is kept alive by the root of the call.
class Next {
 public:
  explicit Next(std::span<Layer* const> rest) noexcept : rest_(rest) {}
  net::Task<Result<Reply>> operator()(CallState& call) const;

 private:
  std::span<Layer* const> rest_;
};

class Layer {
 public:
  virtual ~Layer() = default;

  /// Ends when the call is over, also for a stream. A step with nothing to wait for returns
  /// next(call): no frame.
  virtual net::Task<Result<Reply>> handle(CallState& call, Next next) = 0;
};

inline net::Task<Result<Reply>> Next::operator()(CallState& call) const {
  return rest_.front()->handle(call, Next{rest_.subspan(1)});
}

}  // namespace llmroute::detail

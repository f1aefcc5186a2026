/// Requests that are no inference (files, batches, lists of models): the first node that serves
/// them answers. Nothing in them is read or changed, and nothing that may have begun is asked
/// twice.
#pragma once

#include <llmroute/router.hpp>

#include "layers/layer.hpp"

namespace llmroute::detail {

/// JSON posted to where a model answers: what the rest of the chain can route.
bool is_inference(const Request& request) noexcept;

class RelayLayer final : public Layer {
 public:
  /// Takes no place in the queue and spends no retry budget: such requests are few, and cheap for a
  /// node.
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

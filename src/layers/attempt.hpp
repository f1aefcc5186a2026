/// Last step: pick a node, ask it, and ask another one when it fails, as long as nothing has
/// reached the caller and the retry policy, the budget and the deadline allow.
#pragma once

#include "layers/layer.hpp"

namespace llmroute::detail {

class AttemptLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

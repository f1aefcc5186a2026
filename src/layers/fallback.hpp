/// Fourth step: when a model's nodes are exhausted, the next model of its chain is asked.
#pragma once

#include "layers/layer.hpp"

namespace llmroute::detail {

class FallbackLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

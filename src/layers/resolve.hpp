/// First step: what is asked, and may it be asked. Reads the body, settles the model, refuses what
/// no node serves.
#pragma once

#include "layers/layer.hpp"

namespace llmroute::detail {

class ResolveLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

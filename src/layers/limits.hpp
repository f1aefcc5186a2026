/// What a tenant may ask of a model in a minute. Taken when the call starts and settled when it
/// ends, by what it used: a call that failed gives back.
#pragma once

#include "layers/layer.hpp"

namespace llmroute::detail {

class LimitsLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

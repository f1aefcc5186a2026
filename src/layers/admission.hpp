/// Third step: a concurrency permit, or a place in the bounded queue, or a refusal. The permit is
/// held to the call's end.
#pragma once

#include "layers/layer.hpp"

namespace llmroute::detail {

class AdmissionLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

}  // namespace llmroute::detail

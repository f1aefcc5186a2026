/// First step: what is asked, and may it be asked. Reads the body, settles the model, refuses what
/// no node serves. A request that is no inference is not read: its caller may say the model.
#pragma once

#include <llmroute/config.hpp>
#include <llmroute/core/pick_request.hpp>
#include <llmroute/core/pool_snapshot.hpp>
#include <llmroute/wire/request_view.hpp>
#include <optional>
#include <string>

#include "layers/layer.hpp"

namespace llmroute::detail {

class ResolveLayer final : public Layer {
 public:
  net::Task<Result<Reply>> handle(CallState& call, Next next) override;
};

/// The model a request asks for. One that names none, or by an empty name, is for that of its
/// options, the configured one or the only one there is; none: neither is.
std::optional<std::string> asked_model(const wire::RequestView& view, const CallOptions& options,
                                       const Config& config, const PoolSnapshot& pool);

/// What strategies may know of a request. Its views point into the arguments.
PickRequest pick_request(std::string_view body, const wire::RequestView& view,
                         std::string_view model, std::string_view session_key, bool stream);

}  // namespace llmroute::detail

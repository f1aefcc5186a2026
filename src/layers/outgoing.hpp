/// The bytes a node is sent: the caller's own but for the few that must differ, spliced in by
/// offset.
#pragma once

#include <llmroute/core/node_config.hpp>
#include <string>
#include <string_view>

#include "router/call_state.hpp"

namespace llmroute::detail {

/// Whether a node of this kind is known to take `stream_options.include_usage`.
bool takes_include_usage(Provider provider) noexcept;

/// Whether the router asks for usage on the caller's behalf, and so has to take the extra chunk out
/// again.
bool injects_usage(const CallState& call, const NodeConfig& node) noexcept;

/// The body for a node that knows the model as `model_id`. Empty: the caller's bytes go as they
/// are.
std::string outgoing_body(const CallState& call, const NodeConfig& node, std::string_view model_id);

}  // namespace llmroute::detail

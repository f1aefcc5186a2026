/// The bytes a node is sent: the caller's own but for the few that must differ, spliced in by
/// offset.
#pragma once

#include <llmroute/core/node_config.hpp>
#include <llmroute/wire/splice.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "router/call_state.hpp"

namespace llmroute::detail {

/// Whether a node of this kind is known to take `stream_options.include_usage`.
bool takes_include_usage(Provider provider) noexcept;

/// Whether the router asks for usage where the caller has not, and so has to take the extra chunk
/// out again.
bool injects_usage(const CallState& call, const NodeConfig& node) noexcept;

/// Whether it asks to be told with each chunk, since the tenant's tokens are counted while they are
/// spent.
bool injects_running_usage(const CallState& call, const NodeConfig& node) noexcept;

/// Whether the router asks for token ids, so that a stream that dies can go on from them.
bool wants_token_ids(CallState& call, const NodeConfig& node);

/// What every node needs changed that knows the model as `model_id`.
std::vector<wire::Edit> outgoing_edits(const CallState& call, const NodeConfig& node,
                                       std::string_view model_id);

/// The call's body with these edits. Empty: its bytes go as they are.
std::string outgoing_body(const CallState& call, const NodeConfig& node, std::string_view model_id,
                          bool with_ids);

}  // namespace llmroute::detail

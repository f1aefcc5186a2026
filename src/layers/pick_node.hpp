/// A node for a call, of the pool as it is now; what a reload has taken away the calls from before
/// it still have.
#pragma once

#include <llmroute/core/node_pool_reader.hpp>
#include <span>

#include "router/call_state.hpp"

namespace llmroute::detail {

/// One that is not in `besides`, by the strategy of the model asked at present. Where the model
/// means something else since the call began, or nobody serves it any more, it is picked among the
/// nodes that there were while one of them is to be had; `call.overtaken` tells of that.
PickOutcome pick_node(CallState& call, std::span<const NodeId> besides);

}  // namespace llmroute::detail

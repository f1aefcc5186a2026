/// Errors that more than one step gives.
#pragma once

#include "router/call_state.hpp"

namespace llmroute::detail {

/// No alias and no node's model has that name; says which there are.
Error unknown_model(const CallState& call);

}  // namespace llmroute::detail

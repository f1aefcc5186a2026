/// The request as the model asked for wants it: the fields it has defaults for, the beginning of
/// its system prompt.
#pragma once

#include <string_view>

#include "router/call_state.hpp"

namespace llmroute::detail {

/// From here on the call is for this model, by the name callers use; at first the one that was
/// asked for, later perhaps a fallback. `model` lives as long as the call. Costs nothing for one
/// that has no such settings.
void ask_model(CallState& call, std::string_view model);

}  // namespace llmroute::detail

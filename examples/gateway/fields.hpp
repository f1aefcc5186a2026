/// Which header fields cross the gateway, in either direction. Both are allow-lists: whatever is
/// not named stays here.
#pragma once

#include <string_view>

namespace gateway {

/// A caller's field that a node gets to see: tracing and versions of the API, nothing else. Never
/// credentials, never hop-by-hop fields.
bool passes_to_node(std::string_view name, std::string_view value);

/// A node's field that the caller gets to see. Values that could end a field early are refused.
bool passes_to_caller(std::string_view name, std::string_view value);

/// One of those that say how much of a rate limit is left.
bool is_rate_field(std::string_view name);

}  // namespace gateway

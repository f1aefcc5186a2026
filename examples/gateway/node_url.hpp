/// One spelling of a node's URL, so that the same place is the same node however it was written.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// Scheme and host in lower case, no default port, no slash at the end, no "/v1" (the path that is
/// assumed where there is none). What is no URL of a node is an invalid_argument with param "url".
llmroute::Result<std::string> node_url(std::string_view url);

}  // namespace gateway

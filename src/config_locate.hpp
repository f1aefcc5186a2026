/// Where in a JSON text a key stands, for messages: parsers that build a tree forget it.
#pragma once

#include <string_view>

namespace llmroute::detail {

/// The line (from 1) of the key at `path` ("nodes[1].url") in valid JSON; of the nearest key around
/// it that is there.
int line_of(std::string_view json, std::string_view path);

}  // namespace llmroute::detail

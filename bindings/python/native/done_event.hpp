/// What ends a stream for those who forward it. The router keeps the nodes' own [DONE] to itself,
/// for a stream may come from several.
#pragma once

#include <string_view>

namespace llmroute::python {

inline constexpr std::string_view done_event = "data: [DONE]\n\n";

/// Whether streams of that path have it: those of /v1/responses end by an event of their own.
constexpr bool ends_with_done(std::string_view path) noexcept {
  return path == "/v1/chat/completions" || path == "/v1/completions";
}

}  // namespace llmroute::python

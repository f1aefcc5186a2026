/// What ends a stream for those who forward it. The router keeps the nodes' own [DONE] to itself,
/// for a stream may come from several.
#pragma once

#include <llmroute/wire/api_path.hpp>
#include <string_view>

namespace llmroute::python {

inline constexpr std::string_view done_event = "data: [DONE]\n\n";

/// Whether streams of that path have it: those of /v1/responses end by an event of their own.
inline bool ends_with_done(std::string_view path) noexcept { return wire::streams_chunks(path); }

}  // namespace llmroute::python

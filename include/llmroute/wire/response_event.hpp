/// What the events of a streamed /v1/responses mean, in the terms of a chunk.
#pragma once

#include <llmroute/wire/chunk_view.hpp>
#include <string_view>

namespace llmroute::wire {

/// Goes by `type`: every `....delta` is content, `response.completed` and `response.incomplete` are
/// the end of the one choice there is, `response.failed` and `error` are errors. The model is that
/// of the `response` in it; text is not looked for.
ChunkView read_response_event(std::string_view data);

}  // namespace llmroute::wire

/// What the events of a streamed /v1/messages mean, in the terms of a chunk.
#pragma once

#include <llmroute/wire/chunk_view.hpp>
#include <string_view>

namespace llmroute::wire {

/// Goes by `type`: `content_block_delta` is content, `message_stop` the end of the one choice there
/// is, `error` an error. What was used is told in two halves: the prompt as the message begins,
/// with the model, the answer before it ends. The text is not looked for.
ChunkView read_message_event(std::string_view data);

}  // namespace llmroute::wire

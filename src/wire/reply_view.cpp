#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/reply_view.hpp>

namespace llmroute::wire {

/// A whole answer has the outer shape of a chunk, with `message` for `delta`.
ReplyView read_reply(std::string_view body) {
  const ChunkView view = read_chunk(body);
  return {.json_ok = view.json_ok,
          .is_error = view.is_error,
          .model_offset = view.model_offset,
          .model_length = view.model_length,
          .usage = view.usage};
}

}  // namespace llmroute::wire

/// The parts of a streamed chunk, each by itself, and chunks put together from parts: for joining
/// two streams into one. ChunkView is the quicker look for all other purposes.
#pragma once

#include <cstdint>
#include <llmroute/usage.hpp>
#include <llmroute/wire/span.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

/// What one choice of a chunk brings. Texts are unescaped.
struct Delta {
  int index = 0;
  std::string content{};    ///< `delta.content`, or `text` of a completion
  std::string reasoning{};  ///< `delta.reasoning_content` or `delta.reasoning`
  std::string refusal{};
  std::string finish_reason{};  ///< empty: not finished
  bool opaque = false;          ///< tool calls, function calls, audio: not text
  bool annotated = false;       ///< log probabilities or token ids go with the text
};

/// One for each choice in the chunk, in its order; empty when it cannot be read.
std::vector<Delta> read_deltas(std::string_view data);

/// Who a stream says it is. A caller that reads two streams as one must see one of these.
struct Identity {
  std::string id{};       ///< as JSON text, quotes included; empty: none
  std::string created{};  ///< as JSON text
  std::string model{};    ///< as JSON text
};

Identity read_identity(std::string_view data);

/// The chunk as if it came from another stream: id, created and model put in place of its own.
std::string with_identity(std::string_view data, const Identity& identity);

/// A chunk with one delta, for a seam between two streams: `object` is "chat.completion.chunk" or
/// "text_completion".
std::string write_chunk(const Identity& identity, std::string_view object, const Delta& delta);

/// A chunk without choices that tells the usage.
std::string write_usage_chunk(const Identity& identity, std::string_view object,
                              const Usage& usage);

/// `[1,2,3]` as numbers; empty when it is anything else.
std::vector<std::uint32_t> read_token_ids(std::string_view json);

}  // namespace llmroute::wire

/// What the JSON of one streamed chunk means: chat.completion.chunk and text_completion alike, read
/// in one walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/usage.hpp>
#include <llmroute/wire/span.hpp>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// Views and offsets refer to the data that was read.
struct ChunkView {
  bool json_ok = false;      ///< a whole JSON object
  bool is_error = false;     ///< it has an `error` that is not null
  bool has_content = false;  ///< text, reasoning, refusal, audio or a tool call for the caller
  bool usage_only = false;   ///< no choices, but usage
  bool has_usage = false;
  std::uint64_t seen_choices = 0;      ///< bit i: choice i is in it (63: that or higher)
  std::uint64_t finished_choices = 0;  ///< bit i: with a finish_reason
  std::size_t model_offset = 0;        ///< of the `model` string, quotes included; in a response's
                                       ///< event that of the response
  std::size_t model_length = 0;        ///< 0: there is none
  std::string_view text{};             ///< of choice 0, still escaped, without quotes
  bool text_only = true;               ///< `text` is all the content there is
  Span token_ids_at{};                 ///< the array of choice 0, brackets included; length 0: none
  Span prompt_token_ids_at{};          ///< likewise, beside `choices` or within choice 0
  Span usage_at{};                     ///< the whole member with one comma, so that it can go
  Usage usage{};
};

ChunkView read_chunk(std::string_view data);

/// Appends the chunk's text, unescaped.
void append_text(std::string& out, const ChunkView& chunk);

}  // namespace llmroute::wire

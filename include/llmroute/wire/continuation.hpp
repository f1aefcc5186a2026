/// How a request for a stream may be put again, so that the answer goes on where another node
/// broke off.
#pragma once

#include <cstdint>
#include <llmroute/wire/request_view.hpp>
#include <llmroute/wire/splice.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

/// What a request's own fields allow.
struct Continuation {
  /// Its sampling can be repeated from token ids: nothing in it looks back at the text before
  /// (grammars, penalties, stop strings), draws from a seeded sequence, or is not text.
  bool by_ids = false;
  /// Its last message is the user's, so that the answer's beginning can be put behind it.
  bool by_prefill = false;
  std::string sampling{};         ///< the fields that go along with token ids: `"top_p":0.9,...`
  Span messages_at{};             ///< the array
  std::vector<Span> limits_at{};  ///< values of max_tokens and max_completion_tokens
};

/// Reads the whole request; only for those whose stream broke, or whose node can return token ids.
Continuation read_continuation(std::string_view body);

/// The edit that asks a node for token ids. vLLM, `return_token_ids`.
Edit set_return_token_ids(const RequestView& request);

/// A /v1/completions request that goes on behind `prompt`, for at most `max_tokens`.
std::string continue_ids(const Continuation& request, std::string_view model,
                         std::span<const std::uint32_t> prompt,
                         std::span<const std::uint32_t> answer, std::uint32_t max_tokens);

/// The edits that put `text` behind the messages as the beginning of the answer. `max_tokens`: what
/// is left; 0 leaves the request's own.
std::vector<Edit> continue_text(const RequestView& request, const Continuation& continuation,
                                std::string_view text, std::uint32_t max_tokens);

}  // namespace llmroute::wire

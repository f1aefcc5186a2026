/// What the model reads: a conversation, a text or ids, as ids; and where in them its own words
/// begin.
#pragma once

#include <simdjson.h>

#include <llmroute/result.hpp>
#include <string>
#include <vector>

#include "tokens.hpp"

namespace mock {

/// The messages of a chat request as a chat template writes them: tools, then each turn behind its
/// mark, then the mark of the assistant's turn (unless add_generation_prompt is false), or the last
/// message left open (continue_final_message).
llmroute::Result<Ids> chat_prompt(simdjson::dom::object request);

/// `prompt` of a completions request: text, ids, or a list of either.
llmroute::Result<std::vector<Ids>> completion_prompts(simdjson::dom::element prompt);

/// A prompt in two parts.
struct Split {
  Ids asked;          ///< what is to be answered
  std::string begun;  ///< how the answer begins already
};

/// After the mark of an open assistant's turn comes what the model said; so do, at the end of a
/// text without marks, the pieces of answers.
Split split(const Ids& prompt);

/// A 400 in vLLM's words for a field that is not there.
llmroute::Error missing(std::string_view field);

}  // namespace mock

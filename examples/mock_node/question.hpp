/// A request as the mock node understands it, with the answers that follow from it: a pure function
/// of the prompt, so that two nodes agree.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "tokens.hpp"

namespace mock {

enum class Kind { chat, completion, embedding };

struct Question {
  Kind kind = Kind::chat;
  std::string model{};
  std::vector<Ids> prompts{};     ///< one, but for completions of a list and for embeddings
  std::vector<Answer> answers{};  ///< `choices` to a prompt
  int choices = 1;
  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;
  bool return_token_ids = false;
  std::string reasoning_field{};

  int prompt_tokens() const noexcept;
  int output_tokens() const noexcept;
  std::size_t steps() const noexcept;  ///< of the longest answer
};

/// What a node adds to what a request says.
struct Habits {
  std::string model = "mock";  ///< when none is named
  int answer_tokens = 0;       ///< after which answers end by themselves; 0: 24 or max_tokens
  std::string reasoning_field = "reasoning_content";
};

/// An error's message is in vLLM's words where it has some.
llmroute::Result<Question> read_question(Kind kind, std::string_view body, const Habits& habits);

}  // namespace mock

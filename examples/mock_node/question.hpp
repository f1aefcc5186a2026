/// A request as the mock node understands it, and the answer that follows from it: a pure function
/// of the prompt, so that two nodes agree.
#pragma once

#include <cstdint>
#include <llmroute/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace mock {

enum class Kind { chat, completion, embedding };

struct Question {
  Kind kind = Kind::chat;
  std::string model{};
  std::uint64_t prompt_hash = 0;
  int prompt_tokens = 1;
  int max_tokens = 0;  ///< 0: not given
  int choices = 1;
  int inputs = 1;  ///< of an embedding
  bool stream = false;
  bool include_usage = false;

  int output_tokens() const noexcept { return max_tokens > 0 ? max_tokens : 24; }
  const char* finish_reason() const noexcept { return max_tokens > 0 ? "length" : "stop"; }
};

/// An error's message is in vLLM's words where it has some.
llmroute::Result<Question> read_question(Kind kind, std::string_view body);

/// The i-th word of a choice's answer, blank included.
std::string_view word(const Question& question, int choice, int i);

std::string plain_answer(const Question& question, std::string_view id);
std::string embedding_answer(const Question& question, int dimension);

/// One `data: ...` event: the role first (chat only), then a word, the last with its finish_reason.
std::string role_event(const Question& question, std::string_view id);
std::string word_event(const Question& question, std::string_view id, int choice, int i);
std::string usage_event(const Question& question, std::string_view id);

/// {"error":{...}} as vLLM words it: `code` is a number.
std::string error_body(std::string_view message, std::string_view type, std::string_view param,
                       int status);

}  // namespace mock

/// vLLM's /tokenize and /detokenize.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace mock {

inline constexpr int max_model_len = 131072;

/// The ids of a chat's `messages` or of a `prompt`, as JSON.
llmroute::Result<std::string> tokenize(std::string_view body);

/// The text of `tokens`, as JSON.
llmroute::Result<std::string> detokenize(std::string_view body);

}  // namespace mock

/// Answers as vLLM puts them into JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "question.hpp"

namespace mock {

std::string plain_answer(const Question& question, std::string_view id);
std::string embedding_answer(const Question& question, int dimension);

/// Events of a stream, `data: ...` each: of a chat the roles first, then the n-th piece of every
/// choice, the last with its finish_reason, then the usage.
std::string role_events(const Question& question, std::string_view id);
std::string piece_events(const Question& question, std::string_view id, std::size_t n);
std::string usage_event(const Question& question, std::string_view id);

/// {"error":{...}} as vLLM words it: `code` is a number.
std::string error_body(std::string_view message, std::string_view type, std::string_view param,
                       int status);

/// [1,2,3].
std::string json_ids(const Ids& ids);

}  // namespace mock

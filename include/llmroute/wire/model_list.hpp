/// What a node serves, from its GET /v1/models.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

/// The ids; none when the body is no list of models.
std::optional<std::vector<std::string>> read_model_list(std::string_view body);

/// vLLM's `max_model_len` of a model: how many tokens prompt and answer may have; 0 when the list
/// does not tell.
std::uint32_t read_context_length(std::string_view body, std::string_view model);

}  // namespace llmroute::wire

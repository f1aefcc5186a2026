/// The name of a model within a text that a node wrote.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::wire {

/// `text` (JSON or what stands for it) with `name` put in place of `model_id` wherever that stands
/// by itself, not as a part of a longer name.
std::string with_model_name(std::string_view text, std::string_view model_id,
                            std::string_view name);

}  // namespace llmroute::wire

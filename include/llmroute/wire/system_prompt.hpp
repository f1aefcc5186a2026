/// Text in front of what a chat tells the model before the conversation begins.
#pragma once

#include <llmroute/wire/splice.hpp>
#include <optional>
#include <string_view>

namespace llmroute::wire {

/// The edit to a list of messages (offsets count from its bracket) that puts `prefix` in front of
/// the text of the first system or developer message, be that a string or a list of parts. Where
/// there is none, a system message of its own comes first. None when `messages` is no list.
std::optional<Edit> prefix_system_prompt(std::string_view messages, std::string_view prefix);

}  // namespace llmroute::wire

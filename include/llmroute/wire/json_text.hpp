/// JSON strings: quoting what goes out, reading what came in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// `text` as a JSON string with its quotes. Bytes from 0x80 on are passed as they are.
std::string json_quote(std::string_view text);

/// The text of a JSON string's inside (without the quotes) appended to `out`. What is no proper
/// escape is kept as it stands.
void append_unescaped(std::string& out, std::string_view inside);

}  // namespace llmroute::wire

/// The strict look at a request's body, for servers: nodes differ in what they make of broken JSON,
/// and read_request leaves all it does not need unread.
#pragma once

#include <llmroute/result.hpp>
#include <string_view>

namespace llmroute::wire {

/// Parses all of `body`: UTF-8, escapes, numbers, nothing behind the object, at most 1,024 levels.
/// Then the top-level fields that routing reads and those without which `path` makes no sense
/// (messages, prompt, input): there, given once, of their type. Anything else is an
/// invalid_argument that names the field in `param` and never quotes a value. Costs about 1 us for
/// each 2 KB.
Result<void> check_json(std::string_view body, std::string_view path);

}  // namespace llmroute::wire

#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/members.hpp>
#include <llmroute/wire/system_prompt.hpp>

namespace llmroute::wire {

namespace {

/// The text of a JSON string; empty when it is none.
std::string text_of(std::string_view json) {
  std::string text;
  if (json.size() > 2 && json.front() == '"') {
    append_unescaped(text, json.substr(1, json.size() - 2));
  }
  return text;
}

/// A new first item of a list that begins at 0.
Edit new_item(std::string text, bool first_of_all) {
  if (!first_of_all) text += ',';
  return {1, 0, std::move(text)};
}

/// Behind the quote that opens a string.
Edit into_string(std::size_t string_at, std::string_view quoted) {
  return {string_at + 1, 0, std::string(quoted.substr(1, quoted.size() - 2))};
}

/// Into the first part that is text, or a part of its own in front.
std::optional<Edit> into_parts(std::string_view parts, const std::string& quoted) {
  const auto items = read_items(parts);
  if (!items) return std::nullopt;
  for (const Span& item : *items) {
    const auto members = read_members(at(parts, item));
    const Member* text = members ? find_member(*members, "text") : nullptr;
    if (text == nullptr || parts[item.offset + text->value.offset] != '"') continue;
    return into_string(item.offset + text->value.offset, quoted);
  }
  return new_item(R"({"type":"text","text":)" + quoted + "}", items->empty());
}

/// None: it is no instruction, or has no text.
std::optional<Edit> into_message(std::string_view message, const std::string& quoted) {
  const auto members = read_members(message);
  if (!members) return std::nullopt;
  const Member* role = find_member(*members, "role");
  const Member* content = find_member(*members, "content");
  if (role == nullptr || content == nullptr) return std::nullopt;
  const std::string who = text_of(at(message, role->value));
  if (who != "system" && who != "developer") return std::nullopt;
  const std::string_view json = at(message, content->value);
  if (json.front() == '"') return into_string(content->value.offset, quoted);
  if (json.front() != '[') return std::nullopt;
  std::optional<Edit> edit = into_parts(json, quoted);
  if (edit) edit->offset += content->value.offset;
  return edit;
}

}  // namespace

std::optional<Edit> prefix_system_prompt(std::string_view messages, std::string_view prefix) {
  const auto items = read_items(messages);
  if (!items) return std::nullopt;
  const std::string quoted = json_quote(prefix);
  for (const Span& item : *items) {
    if (std::optional<Edit> edit = into_message(at(messages, item), quoted)) {
      edit->offset += item.offset;
      return edit;
    }
  }
  return new_item(R"({"role":"system","content":)" + quoted + "}", items->empty());
}

}  // namespace llmroute::wire

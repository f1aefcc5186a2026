#include "prompt.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mock {

namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

Error wrong(std::string message, std::string param) {
  return {.code = ErrorCode::invalid_argument,
          .message = std::move(message),
          .param = std::move(param)};
}

bool flag(object request, const char* name, bool otherwise) {
  bool value = false;
  return request[name].get(value) ? otherwise : value;
}

Mark mark_of(std::string_view role) noexcept {
  if (role == "assistant") return assistant_turn;
  if (role == "tool") return tool_turn;
  return role == "system" || role == "developer" ? system_turn : user_turn;
}

/// A text as it is, of a list of parts the texts, anything else as JSON.
std::string content_text(object message) {
  element content;
  std::string_view text;
  array parts;
  if (message["content"].get(content) || content.is_null()) return {};
  if (!content.get(text)) return std::string(text);
  if (content.get(parts)) return simdjson::minify(content);
  std::string out;
  for (element part : parts)
    out += part["text"].get(text) ? std::string(simdjson::minify(part)) : std::string(text);
  return out;
}

/// The tools that may be called: none, all, or the one that is named.
void append_tools(Ids& out, object request) {
  array all;
  std::string_view choice;
  if (request["tools"].get(all) || all.size() == 0) return;
  if (!request["tool_choice"].get(choice) && choice == "none") return;
  std::string_view named;
  if (request["tool_choice"]["function"]["name"].get(named)) named = {};
  std::string listed = "[";
  for (element tool : all) {
    std::string_view name;
    if (!named.empty() && (tool["function"]["name"].get(name) || name != named)) continue;
    if (listed.size() > 1) listed += ',';
    listed += simdjson::minify(tool);
  }
  out.push_back(tools);
  append_ids(out, listed += ']');
  out.push_back(end_of_turn);
}

llmroute::Result<Ids> read_ids(array list) {
  Ids out;
  for (element one : list) {
    std::int64_t id = 0;
    if (one.get(id)) return wrong("prompt: neither text nor token ids", "prompt");
    if (!is_token(id)) return wrong(fmt::format("Token id {} is out of vocabulary", id), "prompt");
    out.push_back(static_cast<int>(id));
  }
  return out;
}

/// A text or a list of ids.
llmroute::Result<Ids> read_prompt(element prompt) {
  std::string_view text;
  array list;
  Ids out;
  if (!prompt.get(text)) return append_ids(out, text), out;
  if (prompt.get(list)) return wrong("prompt: neither text nor token ids", "prompt");
  return read_ids(list);
}

}  // namespace

Error missing(std::string_view field) {
  return wrong(fmt::format("1 validation error:\n  {{'type': 'missing', 'loc': 'body.{}', "
                           "'msg': 'Field required'}}",
                           field),
               fmt::format("body.{}", field));
}

llmroute::Result<Ids> chat_prompt(object request) {
  array messages;
  element given;
  if (request["messages"].get(given)) return missing("messages");
  if (given.get(messages))
    return wrong(
        "1 validation error:\n  {'type': 'list_type', 'loc': 'body.messages', "
        "'msg': 'Input should be a valid list'}",
        "body.messages");
  const bool go_on = flag(request, "continue_final_message", false);
  const bool invite = flag(request, "add_generation_prompt", true);
  if (go_on && invite)
    return wrong("Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
                 "continue_final_message");
  Ids out;
  append_tools(out, request);
  for (element message : messages) {
    object fields;
    std::string_view role;
    if (message.get(fields)) return wrong("messages: not all are objects", "body.messages");
    if (fields["role"].get(role)) return missing("messages.role");
    out.push_back(mark_of(role));
    append_ids(out, content_text(fields));
    element calls;
    if (!fields["tool_calls"].get(calls)) append_ids(out, std::string(simdjson::minify(calls)));
    out.push_back(end_of_turn);
  }
  if (go_on && !out.empty()) out.pop_back();
  if (invite) out.push_back(assistant_turn);
  return out;
}

llmroute::Result<std::vector<Ids>> completion_prompts(element prompt) {
  array list;
  element first;
  std::vector<Ids> out;
  const bool several =
      !prompt.get(list) && !list.at(0).get(first) && (first.is_string() || first.is_array());
  if (!several) {
    llmroute::Result<Ids> one = read_prompt(prompt);
    if (!one) return one.error();
    out.push_back(std::move(*one));
    return out;
  }
  for (element each : list) {
    llmroute::Result<Ids> one = read_prompt(each);
    if (!one) return one.error();
    out.push_back(std::move(*one));
  }
  return out;
}

Split split(const Ids& prompt) {
  const auto mark = std::find_if(prompt.rbegin(), prompt.rend(),
                                 [](int id) { return id == assistant_turn || id == end_of_turn; });
  auto cut = mark.base();  // behind it
  if (mark == prompt.rend() || *mark == end_of_turn) {
    cut = std::find_if_not(prompt.rbegin(), prompt.rend(), is_piece).base();
  }
  return {.asked = Ids(prompt.begin(), cut), .begun = bytes_of(Ids(cut, prompt.end()))};
}

}  // namespace mock

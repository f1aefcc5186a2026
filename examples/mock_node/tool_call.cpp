#include "tool_call.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <llmroute/core/rng.hpp>
#include <llmroute/wire/json_text.hpp>

namespace mock {

namespace {

using llmroute::wire::json_quote;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view before_name = R"({"name": ")";
constexpr std::string_view before_arguments = R"(", "arguments": )";

std::string value_for(element property, std::uint64_t chance) {
  std::string_view type;
  if (property["type"].get(type)) return "null";
  if (type == "integer" || type == "number") return std::to_string(chance % 100);
  if (type == "boolean") return chance % 2 == 0 ? "true" : "false";
  if (type != "string") return "null";
  std::string word_and_blank = bytes_of(word(false, chance));
  word_and_blank.pop_back();
  return json_quote(word_and_blank);
}

/// A value for each property that the tool's schema names.
std::string arguments_for(element tool, std::uint64_t chance) {
  llmroute::Rng rng(chance);
  object properties;
  std::string out;
  if (tool["function"]["parameters"]["properties"].get(properties)) return "{}";
  for (const auto& [key, property] : properties) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", json_quote(key),
                       value_for(property, rng()));
  }
  return "{" + out + "}";
}

}  // namespace

bool wants_call(const Ids& prompt) {
  if (prompt.empty() || prompt.front() != tools) return false;
  const auto turn = std::find_if(prompt.rbegin(), prompt.rend(), [](int id) {
    return id == user_turn || id == system_turn || id == tool_turn;
  });
  return turn == prompt.rend() || *turn != tool_turn;
}

Ids call_ids(const Ids& prompt, std::uint64_t chance) {
  const auto end = std::find(prompt.begin(), prompt.end(), static_cast<int>(end_of_turn));
  const std::string listed = bytes_of(Ids(prompt.begin() + 1, end));
  simdjson::dom::parser parser;
  element tool;
  std::string_view name;
  Ids out{tool_call};
  const bool readable = !parser.parse(listed).at(0).get(tool);
  if (!readable || tool["function"]["name"].get(name)) name = "unnamed";
  append_ids(out, fmt::format("{}{}{}", before_name, name, before_arguments));
  append_ids(out, readable ? arguments_for(tool, chance) : "{}");
  append_ids(out, "}");
  out.push_back(end_of_tool_call);
  return out;
}

CallHead call_head(std::string_view text) noexcept {
  const std::size_t end = text.find(before_arguments);
  if (!text.starts_with(before_name) || end == std::string_view::npos) return {};
  return {.name = text.substr(before_name.size(), end - before_name.size()),
          .arguments = text.substr(end + before_arguments.size())};
}

}  // namespace mock

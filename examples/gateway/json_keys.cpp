/// Strings, commas and brackets.
#include "json_keys.hpp"

#include <llmroute/headers.hpp>
#include <llmroute/wire/json_text.hpp>
#include <string>
#include <utility>

namespace gateway {
namespace {

/// Of the string whose inside begins at `at`.
std::size_t closing_quote(std::string_view json, std::size_t at) {
  for (at = json.find('"', at); at != json.npos; at = json.find('"', at + 1)) {
    std::size_t escapes = 0;
    while (json[at - 1 - escapes] == '\\') ++escapes;
    if (escapes % 2 == 0) return at;
  }
  return json.size();
}

bool is_in_other_letters(std::string_view inside, std::string_view key) {
  constexpr std::size_t longest_letter = 6;  // \u006d
  if (inside.size() < key.size() || inside.size() > key.size() * longest_letter) return false;
  std::string text;
  llmroute::wire::append_unescaped(text, inside);
  return text != key && llmroute::same_field_name(text, key);
}

}  // namespace

bool has_key_in_other_letters(std::string_view json, std::string_view key) {
  int depth = 0;
  bool key_comes = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '{' || c == '[') {
      key_comes = ++depth == 1;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      key_comes = depth == 1;
    } else if (c == '"') {
      const std::size_t begin = at + 1;
      at = closing_quote(json, begin);
      const bool is_key = std::exchange(key_comes, false);
      if (is_key && is_in_other_letters(json.substr(begin, at - begin), key)) return true;
    }
  }
  return false;
}

}  // namespace gateway

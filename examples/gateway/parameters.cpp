/// Takes one parameter off the front after the other.
#include "parameters.hpp"

#include <algorithm>
#include <http/message.hpp>
#include <llmroute/headers.hpp>

namespace gateway {
namespace {

using llmroute::same_field_name;

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(taken.size());
  return taken;
}

/// Where the quote is that ends a text; npos: nowhere.
std::size_t closing_quote(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return text.npos;
}

/// Browsers, curl and urllib3 write a backslash as it is, Go and older curls write one in front of
/// a quote: so readers differ about the text that a quote ends which follows a backslash. Go's is
/// taken where that does not matter: nothing follows, and nothing in the text could be a parameter.
std::optional<std::string_view> take_quoted(std::string_view& text) {
  const std::string_view inside = text.substr(1);
  const std::size_t end = closing_quote(inside);
  if (end == inside.npos) return std::nullopt;
  const std::string_view value = inside.substr(0, end);
  text = inside.substr(end + 1);
  const bool two_ends = value.ends_with('\\') || value.find('"') != value.npos;
  if (two_ends && (!text.empty() || value.find(';') != value.npos)) return std::nullopt;
  return value;
}

std::optional<std::string_view> take_value(std::string_view& text) {
  if (text.starts_with('"')) return take_quoted(text);
  const std::string_view value = take_until(text, "; \t");
  return http::is_token(value) ? std::optional(value) : std::nullopt;
}

/// Behind a semicolon.
std::optional<Parameters::Parameter> take_parameter(std::string_view& text) {
  skip_blanks(text);
  const std::string_view name = take_until(text, "=");
  const bool extended = name.find('*') != name.npos && !same_field_name(name, "filename*");
  if (!http::is_token(name) || extended || text.empty()) return std::nullopt;
  text.remove_prefix(1);
  const auto value = take_value(text);
  if (!value) return std::nullopt;
  return Parameters::Parameter{name, *value};
}

}  // namespace

std::optional<std::string_view> Parameters::find(std::string_view name) const noexcept {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Parameter& one) {
    return same_field_name(one.name, name);
  });
  return found == list.end() ? std::nullopt : std::optional(found->value);
}

std::optional<Parameters> read_parameters(std::string_view field) {
  if (!http::is_field_text(field)) return std::nullopt;
  Parameters read{.word = take_until(field, "; \t")};
  if (read.word.empty()) return std::nullopt;
  for (skip_blanks(field); !field.empty(); skip_blanks(field)) {
    if (field[0] != ';') return std::nullopt;
    field.remove_prefix(1);
    const auto parameter = take_parameter(field);
    if (!parameter || read.find(parameter->name)) return std::nullopt;
    read.list.push_back(*parameter);
  }
  return read;
}

}  // namespace gateway

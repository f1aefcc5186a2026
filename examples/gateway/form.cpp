/// Parts between boundaries; of each its head, and the value when the head names the field.
#include "form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/headers.hpp>
#include <optional>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

constexpr std::string_view form_type = "multipart/form-data";
constexpr std::size_t longest_value = 4096;

Error wrong(std::string_view field, std::string message) {
  return {.code = ErrorCode::invalid_argument,
          .message = std::move(message),
          .param = std::string(field)};
}

bool begins_with_name(std::string_view text, std::string_view name) noexcept {
  return text.size() >= name.size() && llmroute::same_field_name(text.substr(0, name.size()), name);
}

/// The value of `name=value` or `name="value"` behind a semicolon of a field's value.
std::optional<std::string_view> parameter(std::string_view field, std::string_view name) noexcept {
  std::size_t at = field.find(';');
  while (at != field.npos) {
    field.remove_prefix(std::min(field.find_first_not_of(" \t;", at), field.size()));
    const bool found = begins_with_name(field, name) && field.substr(name.size()).starts_with('=');
    const std::size_t equals = field.find('=');
    if (equals == field.npos) return std::nullopt;
    std::string_view value = field.substr(equals + 1);
    if (value.starts_with('"')) {
      const std::size_t end = value.find('"', 1);
      if (end == value.npos) return std::nullopt;
      if (found) return value.substr(1, end - 1);
      field = value.substr(end + 1);
    } else {
      if (found) return value.substr(0, value.find_first_of("; \t"));
      field = value;
    }
    at = field.find(';');
  }
  return std::nullopt;
}

/// The name that a part's head gives it.
std::string_view name_of(std::string_view head) noexcept {
  constexpr std::string_view field = "content-disposition:";
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    if (begins_with_name(line, field)) return parameter(line, "name").value_or("");
  }
  return {};
}

}  // namespace

bool is_form(std::string_view content_type) noexcept {
  return begins_with_name(content_type, form_type);
}

Result<std::string> form_field(std::string_view content_type, std::string_view body,
                               std::string_view name) {
  const std::string_view boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || boundary.size() > 70) {
    return wrong("content-type",
                 "a form's Content-Type must give a boundary of 1 to 70 characters");
  }
  const std::string delimiter = fmt::format("\r\n--{}", boundary);
  const Error cut = wrong("body", "the body is no whole form: a boundary is missing");
  if (!body.starts_with(std::string_view(delimiter).substr(2))) return cut;
  body.remove_prefix(delimiter.size() - 2);
  std::optional<std::string> found;
  while (!body.starts_with("--")) {
    const std::size_t end = body.find(delimiter);
    const std::string_view part = body.substr(0, end);
    const std::size_t head = part.find("\r\n\r\n");
    if (end == body.npos || head == part.npos || !part.starts_with("\r\n")) return cut;
    const std::string_view value = part.substr(head + 4);
    if (name_of(part.substr(2, head)) == name) {
      if (found) return wrong(name, fmt::format("\"{}\" is given twice", name));
      if (value.size() > longest_value) return wrong(name, fmt::format("\"{}\" is too long", name));
      found = value;
    }
    body.remove_prefix(end + delimiter.size());
  }
  return found.value_or("");
}

}  // namespace gateway

/// Parts between boundaries; of each its head, and the value when the head names the field.
#include "form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <http/head_parser.hpp>
#include <llmroute/headers.hpp>
#include <optional>

#include "parameters.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;
using llmroute::same_field_name;

constexpr std::size_t longest_boundary = 70;
constexpr std::size_t longest_value = 4096;

Error wrong(std::string_view field, std::string message) {
  return {.code = ErrorCode::invalid_argument,
          .message = std::move(message),
          .param = std::string(field)};
}

/// RFC 2046, section 5.1.1, without the blank.
bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= longest_boundary &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos;
         });
}

/// Walks over the parts.
class Parts {
 public:
  Parts(std::string_view body, std::string_view boundary)
      : delimiter_(fmt::format("--{}", boundary)),
        rest_(body),
        sound_(body.starts_with(delimiter_)) {
    if (sound_) rest_.remove_prefix(delimiter_.size());
  }

  /// The next part behind its boundary, "\r\n" in front; none: there is no more.
  std::optional<std::string_view> next() {
    if (!sound_) return std::nullopt;
    if (rest_.starts_with("--")) {
      sound_ = rest_.find_first_not_of("\r\n", 2) == rest_.npos;
      return std::nullopt;
    }
    const std::size_t end = find_delimiter();
    sound_ = end != rest_.npos && rest_.starts_with("\r\n");
    if (!sound_) return std::nullopt;
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(end + 2 + delimiter_.size());
    return part;
  }

  /// Whether all was as it should be, up to the end once next() has found none.
  bool sound() const noexcept { return sound_; }

 private:
  /// Where the line end in front of the next boundary begins. Half of one is none here, and may be
  /// one elsewhere: then there is no next boundary.
  std::size_t find_delimiter() const {
    std::size_t at = rest_.find(delimiter_);
    while (at != rest_.npos) {
      const std::string_view before = rest_.substr(0, at);
      if (before.ends_with("\r\n")) return at - 2;
      if (before.ends_with('\r') || before.ends_with('\n')) return rest_.npos;
      at = rest_.find(delimiter_, at + 1);
    }
    return at;
  }

  std::string delimiter_;
  std::string_view rest_;
  bool sound_;
};

/// What a part's head says of it.
struct Part {
  std::string_view name;
  bool plain;  ///< no file, and not encoded
};

/// A disposition and its field's name. Others decode what looks encoded.
std::optional<std::string_view> name_in(const std::optional<Parameters>& disposition) {
  if (!disposition || !same_field_name(disposition->word, "form-data")) return std::nullopt;
  const auto name = disposition->find("name");
  const bool plain =
      name && name->find('\\') == name->npos && name->find("=?") == name->npos;  // RFC 2047
  return plain ? name : std::nullopt;
}

bool is_encoded(std::string_view transfer_encoding) {
  const auto is = [&](std::string_view plain) { return same_field_name(transfer_encoding, plain); };
  return !is("binary") && !is("8bit") && !is("7bit");
}

/// Some readers decode a part by its own charset.
bool is_utf_8(std::string_view content_type) {
  const auto type = read_parameters(content_type);
  return type && same_field_name(type->find("charset").value_or("utf-8"), "utf-8");
}

/// `lines` are those of the head.
std::optional<Part> read_head(std::string_view lines) {
  std::optional<Part> part;
  bool encoded = false;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    const auto field = http::split_field(line);
    if (!field) return std::nullopt;
    if (same_field_name(field->name, "Content-Disposition")) {
      const auto disposition = read_parameters(field->value);
      const auto name = name_in(disposition);
      if (part || !name) return std::nullopt;
      part = {*name, !disposition->find("filename") && !disposition->find("filename*")};
    } else if (same_field_name(field->name, "Content-Transfer-Encoding")) {
      encoded = encoded || is_encoded(field->value);
    } else if (same_field_name(field->name, "Content-Type")) {
      if (same_field_name(field->value.substr(0, 10), "multipart/")) return std::nullopt;
      encoded = encoded || !is_utf_8(field->value);
    }
  }
  if (part && encoded) part->plain = false;
  return part;
}

/// Keeps the value of the field, when this part has it.
Result<void> take(const Part& part, std::string_view value, std::string_view name,
                  std::optional<std::string>& found) {
  if (part.name == "_charset_") return wrong("_charset_", "a form must be UTF-8, and not say so");
  if (!same_field_name(part.name, name)) return {};
  if (part.name != name)
    return wrong(name, fmt::format("the field is called \"{}\", in these letters", name));
  if (!part.plain) return wrong(name, fmt::format("\"{}\" must be a plain field", name));
  if (found) return wrong(name, fmt::format("\"{}\" is given twice", name));
  if (value.size() > longest_value) return wrong(name, fmt::format("\"{}\" is too long", name));
  found = value;
  return {};
}

}  // namespace

Result<std::string> form_field(std::string_view boundary, std::string_view body,
                               std::string_view name) {
  constexpr std::string_view blank_line = "\r\n\r\n";
  if (!is_boundary(boundary)) {
    return wrong("content-type",
                 "a form's Content-Type must give a boundary of 1 to 70 characters");
  }
  Parts parts(body, boundary);
  std::optional<std::string> found;
  while (const auto text = parts.next()) {
    const std::size_t head = text->find(blank_line);
    const auto part =
        head == text->npos || head < 2 ? std::nullopt : read_head(text->substr(2, head - 2));
    if (!part) {
      return wrong("body",
                   "a part of the form needs one line Content-Disposition: form-data; "
                   "name=\"...\", without escapes");
    }
    auto taken = take(*part, text->substr(head + blank_line.size()), name, found);
    if (!taken) return taken.error();
  }
  if (!parts.sound()) return wrong("body", "the body is no whole form: a boundary is missing");
  return found.value_or("");
}

}  // namespace gateway

// One table of fields and types, held against a body that has been parsed whole.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <llmroute/wire/check_json.hpp>

#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace dom = simdjson::dom;

enum class Shape { text, flag, number, object, messages, prompt };

struct Field {
  std::string_view name;
  Shape shape;
  std::string_view shape_in_words;
};

constexpr std::array fields{
    Field{"model", Shape::text, "a string"},
    Field{"stream", Shape::flag, "true or false"},
    Field{"stream_options", Shape::object, "an object"},
    Field{"messages", Shape::messages, "an array of objects"},
    Field{"prompt", Shape::prompt, "a string or an array"},
    Field{"input", Shape::prompt, "a string or an array"},
    Field{"max_tokens", Shape::number, "a number"},
    Field{"max_completion_tokens", Shape::number, "a number"},
    Field{"temperature", Shape::number, "a number"},
    Field{"n", Shape::number, "a number"},
    Field{"user", Shape::text, "a string"},
};

/// The field without which a path makes no sense; empty: none is known.
std::string_view required_by(std::string_view path) {
  if (path.ends_with("/chat/completions")) return "messages";
  if (path.ends_with("/completions")) return "prompt";
  if (path.ends_with("/embeddings")) return "input";
  return {};
}

Error bad_field(std::string_view field, std::string message) {
  return {.code = ErrorCode::invalid_argument,
          .message = std::move(message),
          .param = std::string(field)};
}

bool holds_objects_only(dom::array items) {
  return std::all_of(items.begin(), items.end(),
                     [](dom::element item) { return item.is_object(); });
}

bool fits(dom::element value, Shape shape) {
  switch (shape) {
    case Shape::text:
      return value.is_string();
    case Shape::flag:
      return value.is_bool();
    case Shape::number:
      return value.is_number();
    case Shape::object:
      return value.is_object();
    case Shape::messages: {
      dom::array items;
      return !value.get_array().get(items) && holds_objects_only(items);
    }
    case Shape::prompt:
      return value.is_string() || value.is_array() || value.is_object();
  }
  return false;
}

/// Null is how several SDKs write a field that is not set.
Result<void> check_fields(dom::object object, std::string_view required) {
  std::bitset<fields.size()> seen;
  bool has_required = required.empty();
  for (const dom::key_value_pair entry : object) {
    const auto* known = std::find_if(fields.begin(), fields.end(),
                                     [&](const Field& field) { return field.name == entry.key; });
    if (known == fields.end()) continue;
    const auto index = static_cast<std::size_t>(known - fields.begin());
    if (seen.test(index)) {
      return bad_field(known->name, fmt::format("\"{}\" is given twice", known->name));
    }
    seen.set(index);
    const bool is_required = known->name == required;
    has_required = has_required || is_required;
    if (entry.value.is_null() && !is_required) continue;
    if (!fits(entry.value, known->shape)) {
      return bad_field(known->name,
                       fmt::format("\"{}\" must be {}", known->name, known->shape_in_words));
    }
  }
  if (has_required) return {};
  return bad_field(required, fmt::format("\"{}\" is missing", required));
}

/// simdjson's texts name its own parts ("TAPE_ERROR"): these name the caller's.
std::string_view in_words(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
      return "the request body is empty";
    case simdjson::UTF8_ERROR:
      return "the request body is not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "the request body is nested deeper than 1,024 levels";
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING:
      return "the request body is not valid JSON: a string is broken";
    case simdjson::NUMBER_ERROR:
      return "the request body is not valid JSON: a number is broken";
    default:
      return "the request body is not valid JSON";
  }
}

/// Throws when the parser lacks memory.
Result<void> check_with(dom::parser& parser, std::string_view body, std::string_view path) {
  const simdjson::padded_string_view text = padded(body);
  dom::element root;
  if (const auto error = parser.parse(text.data(), text.length(), false).get(root)) {
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    return bad_field({}, std::string(in_words(error)));
  }
  dom::object object;
  if (root.get_object().get(object)) return bad_field({}, "the request body must be a JSON object");
  return check_fields(object, required_by(path));
}

}  // namespace

/// A parser that lacked memory is not used again, one that has grown large is not kept.
Result<void> check_json(std::string_view body, std::string_view path) {
  static thread_local std::unique_ptr<dom::parser> kept;
  std::unique_ptr<dom::parser> parser = std::move(kept);
  if (!parser) parser = std::make_unique<dom::parser>();
  Result<void> checked = check_with(*parser, body, path);
  if (parser->capacity() <= most_kept) kept = std::move(parser);
  return checked;
}

}  // namespace llmroute::wire

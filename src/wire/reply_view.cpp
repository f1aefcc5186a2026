#include <llmroute/wire/reply_view.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"
#include "wire/usage.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

/// Takes a top-level field. False: it cannot be read. What is of no interest is skipped unread.
bool take(ReplyView& view, const char* base, std::string_view key, od::value& value) {
  if (key == "model") {
    od::json_type type{};
    if (value.type().get(type)) return false;
    if (type != od::json_type::string) return true;
    std::string_view token = value.raw_json_token();
    while (token.back() != '"') token.remove_suffix(1);
    if (token.size() <= 2) return true;
    view.model_offset = static_cast<std::size_t>(token.data() - base);
    view.model_length = token.size();
  } else if (key == "usage") {
    od::object usage;
    if (!value.get_object().get(usage)) view.usage = read_usage(usage);
  } else if (key == "error") {
    bool null = false;
    view.is_error = value.is_null().get(null) != simdjson::SUCCESS || !null;
  }
  return true;
}

/// Of /v1/responses, which has an `error` of its own: how the model's work ended is the answer.
bool is_response_object(od::value& value) {
  od::json_type type{};
  return !value.type().get(type) && type == od::json_type::string &&
         value.raw_json_token().starts_with(R"("response")");
}

}  // namespace

ReplyView read_reply(std::string_view body) {
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::object object;
  ReplyView view;
  if (iterate(text).get(document) || document.get_object().get(object)) return {};
  bool is_response = false;
  const auto look = [&](std::string_view key, od::value& value) {
    if (key == "object") is_response = is_response_object(value);
    return take(view, text.data(), key, value);
  };
  if (!each_field(object, look)) return {};
  view.json_ok = ends_here(document);
  view.is_error = view.is_error && !is_response;
  return view;
}

}  // namespace llmroute::wire

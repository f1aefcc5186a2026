#include <llmroute/wire/response_event.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"
#include "wire/usage.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

void take_type(ChunkView& view, std::string_view type) {
  constexpr std::uint64_t only_choice = 1;
  if (type == "error" || type == "response.failed") {
    view.is_error = true;
  } else if (type == "response.completed" || type == "response.incomplete") {
    view.seen_choices = view.finished_choices = only_choice;
  } else if (type.ends_with(".delta")) {
    view.seen_choices = only_choice;
    view.has_content = true;
  }
}

/// Where the model's name stands; one that is empty or no string is none.
void take_model(ChunkView& view, const char* base, od::value& value) {
  od::json_type type{};
  if (value.type().get(type) || type != od::json_type::string) return;
  const std::string_view json = json_of(value);
  if (json.size() <= 2) return;
  view.model_offset = static_cast<std::size_t>(json.data() - base);
  view.model_length = json.size();
}

/// The response as it stands, in the events that bring it whole. False: it cannot be read.
bool take_response(ChunkView& view, const char* base, od::object response) {
  return each_field(response, [&](std::string_view key, od::value& value) {
    if (key == "model") return take_model(view, base, value), true;
    od::object usage;
    if (key != "usage" || value.get_object().get(usage)) return true;
    view.usage = read_usage(usage);
    view.has_usage = true;
    return true;
  });
}

bool take_field(ChunkView& view, const char* base, std::string_view key, od::value& value) {
  if (key == "type") {
    std::string_view type;
    if (value.get_string().get(type)) return false;
    take_type(view, type);
  } else if (key == "response") {
    od::object response;
    if (!value.get_object().get(response)) return take_response(view, base, response);
  }
  return true;
}

}  // namespace

ChunkView read_response_event(std::string_view data) {
  const simdjson::padded_string_view text = padded(data);
  od::document document;
  od::object object;
  ChunkView view;
  view.text_only = false;
  if (iterate(text).get(document) || document.get_object().get(object)) return view;
  const bool whole = each_field(object, [&](std::string_view key, od::value& value) {
    return take_field(view, text.data(), key, value);
  });
  view.json_ok = whole && ends_here(document);
  return view;
}

}  // namespace llmroute::wire

#include <llmroute/wire/message_event.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"
#include "wire/usage.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

void take_type(ChunkView& view, std::string_view type) {
  constexpr std::uint64_t only_choice = 1;
  if (type == "error") {
    view.is_error = true;
  } else if (type == "message_stop") {
    view.seen_choices = view.finished_choices = only_choice;
  } else if (type == "content_block_delta") {
    view.seen_choices = only_choice;
    view.has_content = true;
  }
}

void take_usage(ChunkView& view, od::value& value) {
  od::object usage;
  if (value.get_object().get(usage)) return;
  view.usage = read_usage(usage);
  view.has_usage = true;
}

bool take_message(ChunkView& view, od::object message) {
  return each_field(message, [&](std::string_view key, od::value& value) {
    if (key == "usage") take_usage(view, value);
    return true;
  });
}

bool take_field(ChunkView& view, std::string_view key, od::value& value) {
  if (key == "type") {
    std::string_view type;
    if (value.get_string().get(type)) return false;
    take_type(view, type);
  } else if (key == "usage") {
    take_usage(view, value);
  } else if (key == "message") {
    od::object message;
    if (!value.get_object().get(message)) return take_message(view, message);
  }
  return true;
}

}  // namespace

ChunkView read_message_event(std::string_view data) {
  const simdjson::padded_string_view text = padded(data);
  od::document document;
  od::object object;
  ChunkView view;
  view.text_only = false;
  if (iterate(text).get(document) || document.get_object().get(object)) return view;
  const bool whole = each_field(
      object, [&](std::string_view key, od::value& value) { return take_field(view, key, value); });
  view.json_ok = whole && ends_here(document);
  return view;
}

}  // namespace llmroute::wire

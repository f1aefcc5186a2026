#include <llmroute/wire/message_event.hpp>

#include "wire/typed_event.hpp"

namespace llmroute::wire {

namespace {

void take_message_type(ChunkView& view, std::string_view type) {
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

bool take_message_field(ChunkView& view, EventStart start, std::string_view key,
                        simdjson::ondemand::value& value) {
  if (key == "type") {
    std::string_view type;
    if (value.get_string().get(type)) return false;
    take_message_type(view, type);
  } else if (key == "usage") {
    take_usage(view, value);
  } else if (key == "message") {
    return take_answer(view, start, value);
  }
  return true;
}

}  // namespace

ChunkView read_message_event(std::string_view data) {
  return read_typed_event(data, take_message_field);
}

}  // namespace llmroute::wire

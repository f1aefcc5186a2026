#include <llmroute/wire/response_event.hpp>

#include "wire/typed_event.hpp"

namespace llmroute::wire {

namespace {

void take_response_type(ChunkView& view, std::string_view type) {
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

bool take_response_field(ChunkView& view, EventStart start, std::string_view key,
                         simdjson::ondemand::value& value) {
  if (key == "type") {
    std::string_view type;
    if (value.get_string().get(type)) return false;
    take_response_type(view, type);
  } else if (key == "response") {
    return take_answer(view, start, value);
  }
  return true;
}

}  // namespace

ChunkView read_response_event(std::string_view data) {
  return read_typed_event(data, take_response_field);
}

}  // namespace llmroute::wire

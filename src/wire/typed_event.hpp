/// What the streams of typed events, /v1/responses and /v1/messages, have in common: a `type`, and
/// at their beginning the answer as it stands, with its model and usage.
#pragma once

#include <cstddef>
#include <llmroute/wire/chunk_view.hpp>
#include <string_view>

#include "wire/fields.hpp"
#include "wire/padded.hpp"
#include "wire/usage.hpp"

namespace llmroute::wire {

/// The text an event was read from, as the parser has it: offsets are from here.
using EventStart = const char*;

/// Where the model's name stands; one that is empty or no string is none.
inline void take_model(ChunkView& view, EventStart start, simdjson::ondemand::value& value) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) || type != simdjson::ondemand::json_type::string) return;
  const std::string_view json = json_of(value);
  if (json.size() <= 2) return;
  view.model_offset = static_cast<std::size_t>(json.data() - start);
  view.model_length = json.size();
}

/// Nothing, when it is no object.
inline void take_usage(ChunkView& view, simdjson::ondemand::value& value) {
  simdjson::ondemand::object usage;
  if (value.get_object().get(usage)) return;
  view.usage = read_usage(usage);
  view.has_usage = true;
}

/// The answer as it stands, in the events that bring it whole. False: it cannot be read.
inline bool take_answer(ChunkView& view, EventStart start, simdjson::ondemand::value& value) {
  simdjson::ondemand::object answer;
  if (value.get_object().get(answer)) return true;
  return each_field(answer, [&](std::string_view key, simdjson::ondemand::value& field) {
    if (key == "model") take_model(view, start, field);
    if (key == "usage") take_usage(view, field);
    return true;
  });
}

/// Reads an event by `take(view, start, key, value)` for each of its fields, until it says false.
template <class Take>
ChunkView read_typed_event(std::string_view data, Take&& take) {
  const simdjson::padded_string_view text = padded(data);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  ChunkView view;
  view.text_only = false;
  if (iterate(text).get(document) || document.get_object().get(object)) return view;
  const bool whole =
      each_field(object, [&](std::string_view key, simdjson::ondemand::value& value) {
        return take(view, text.data(), key, value);
      });
  view.json_ok = whole && ends_here(document);
  return view;
}

}  // namespace llmroute::wire

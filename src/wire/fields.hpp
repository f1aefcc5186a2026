/// Walking the fields of a JSON object, and the JSON of each.
#pragma once

#include <simdjson.h>

#include <string_view>

namespace llmroute::wire {

/// `take(key, value)` for each field in order, until it says false. False: it did, or the object
/// cannot be read. A value that is not looked at is skipped unread.
template <class Take>
bool each_field(simdjson::ondemand::object object, Take&& take) {
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value) || !take(key, value)) {
      return false;
    }
  }
  return true;
}

inline bool is_null(simdjson::ondemand::value& value) {
  bool null = false;
  return !value.is_null().get(null) && null;
}

/// The JSON of a value, without blanks around it; empty: it cannot be read. Takes the value.
inline std::string_view json_of(simdjson::ondemand::value& value) {
  std::string_view json;
  simdjson::ondemand::json_type type{};
  if (value.type().get(type)) return {};
  if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    if (value.get_array().get(array) || array.raw_json().get(json)) return {};
  } else if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    if (value.get_object().get(object) || object.raw_json().get(json)) return {};
  } else {
    json = value.raw_json_token();
  }
  const std::size_t last = json.find_last_not_of(" \n\r\t");
  return json.substr(0, last + 1);
}

}  // namespace llmroute::wire

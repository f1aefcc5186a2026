/// Walking the fields of a JSON object.
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

}  // namespace llmroute::wire

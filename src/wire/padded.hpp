/// Bytes with the padding simdjson reads past the end of its input.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace llmroute::wire {

/// A copy with padding, in a buffer of this thread's: valid until the next call on the thread.
/// Copying a body costs less than a hundredth of sending it.
inline simdjson::padded_string_view padded(std::string_view text) {
  static thread_local std::string buffer;
  if (buffer.capacity() > (1u << 20) && text.size() < (1u << 16)) buffer = {};
  buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  buffer.assign(text);
  return simdjson::padded_string_view(buffer.data(), text.size(), buffer.capacity());
}

/// A parser of this thread's.
inline simdjson::ondemand::parser& parser() {
  static thread_local simdjson::ondemand::parser instance;
  return instance;
}

/// Whether a document that has been walked has nothing behind its end.
inline bool ends_here(simdjson::ondemand::document& document) {
  const char* location = nullptr;
  return document.current_location().get(location) == simdjson::OUT_OF_BOUNDS;
}

}  // namespace llmroute::wire

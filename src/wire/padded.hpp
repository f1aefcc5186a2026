/// Bytes with the padding simdjson reads past the end of its input.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// What a thread keeps from one text to the next is for texts of so many bytes: the memory of a
/// larger one is let go, or a few of them would hold it on every thread for ever.
constexpr std::size_t most_kept = 1 << 20;

/// Whether memory for so many bytes is more than the next text, of `size`, is to find.
constexpr bool outgrown(std::size_t capacity, std::size_t size) noexcept {
  return capacity > most_kept + simdjson::SIMDJSON_PADDING && size <= most_kept;
}

/// A copy with padding, in a buffer of this thread's: valid until the next call on the thread.
/// Copying a body costs less than a hundredth of sending it.
inline simdjson::padded_string_view padded(std::string_view text) {
  static thread_local std::string buffer;
  if (outgrown(buffer.capacity(), text.size())) std::string().swap(buffer);  // {} would keep it
  buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  buffer.assign(text);
  return simdjson::padded_string_view(buffer.data(), text.size(), buffer.capacity());
}

/// A parser of this thread's for so many bytes. Throws std::bad_alloc: simdjson has an error for
/// want of memory, which reads like one of the text, and a parser that had it is not to be used
/// again.
inline simdjson::ondemand::parser& parser_for(std::size_t size) {
  static thread_local std::unique_ptr<simdjson::ondemand::parser> kept;
  if (kept && outgrown(kept->capacity(), size)) kept.reset();
  if (kept && kept->capacity() >= size) return *kept;
  auto larger = std::make_unique<simdjson::ondemand::parser>();
  // 3.0 does not look whether it was given its buffer for strings. Told again it does, and has
  // nothing to do if it was.
  for (int i = 0; i < 2; ++i) {
    if (larger->allocate(std::max(size, std::size_t{4096})) == simdjson::MEMALLOC) {
      throw std::bad_alloc();
    }
  }
  kept = std::move(larger);
  return *kept;
}

/// Begins to read a text with the thread's parser.
inline simdjson::simdjson_result<simdjson::ondemand::document> iterate(
    const simdjson::padded_string_view& text) {
  return parser_for(text.length()).iterate(text);
}

/// Whether a document that has been walked has nothing behind its end.
inline bool ends_here(simdjson::ondemand::document& document) {
  const char* location = nullptr;
  return document.current_location().get(location) == simdjson::OUT_OF_BOUNDS;
}

}  // namespace llmroute::wire

/// Where whole characters end in a text that comes in pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace mock {

inline bool goes_on(char byte) noexcept { return (byte & 0xc0) == 0x80; }

/// How many bytes the character has that begins with this one.
inline std::size_t character_size(char byte) noexcept {
  const auto lead = static_cast<unsigned char>(byte);
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/// How much of `text` is left when a character that has only begun is taken off its end.
inline std::size_t whole_characters(std::string_view text) noexcept {
  std::size_t tail = 1;
  while (tail < 4 && tail < text.size() && goes_on(text[text.size() - tail])) ++tail;
  if (text.empty() || tail >= character_size(text[text.size() - tail])) return text.size();
  return text.size() - tail;
}

/// The last place at or before `at` where a character begins.
inline std::size_t character_start(std::string_view text, std::size_t at) noexcept {
  while (at > 0 && at < text.size() && goes_on(text[at])) --at;
  return std::min(at, text.size());
}

}  // namespace mock

/// Whether bytes are UTF-8 (RFC 3629), and if not, where.
#pragma once

#include <optional>
#include <string_view>

namespace gateway {

/// The number of the line, from 1, with the first byte that is no part of a character; none when
/// all are. Surrogates, overlong forms and what is above U+10FFFF are no characters.
std::optional<int> first_line_not_utf8(std::string_view text);

}  // namespace gateway

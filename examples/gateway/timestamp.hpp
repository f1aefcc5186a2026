/// Moments on the wall clock: microseconds since 1970, UTC, and their text (RFC 3339).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

using Timestamp = std::int64_t;

Timestamp now_timestamp();

/// "2026-05-01T12:00:00Z", with a fraction where there is one.
std::string to_text(Timestamp moment);

/// With `Z` or an offset; up to nine digits of fraction, of which six count. None: it is no such
/// text.
std::optional<Timestamp> read_timestamp(std::string_view text);

}  // namespace gateway

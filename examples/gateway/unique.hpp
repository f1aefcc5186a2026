/// What must not be guessed or met twice: ids of rows, and keys. From the system's generator.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

/// A random UUID (RFC 9562, version 4), as text.
std::string make_uuid();

/// The same text gives the same UUID (version 8, of its SHA-256): ids for what has no row.
std::string uuid_of(std::string_view text);

/// "ml-" and 43 letters and digits: 256 random bits.
std::string make_key();

/// As much of a key as may be shown: its first eight characters.
std::string prefix_of(std::string_view key);

}  // namespace gateway

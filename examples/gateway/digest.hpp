/// SHA-256: by what the gateway knows secrets without keeping them.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace gateway {

using Digest = std::array<unsigned char, 32>;

/// Throws std::bad_alloc when libcrypto has no memory.
Digest sha256(std::string_view text);

/// Lower-case hexadecimal digits, two a byte.
std::string hex_of(const Digest& digest);

/// For tables: the digest's own first bytes, which nobody who does not know the text can choose.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t start = 0;
    std::memcpy(&start, digest.data(), sizeof start);
    return start;
  }
};

/// In a time that does not depend on where two differ.
struct DigestEqual {
  bool operator()(const Digest& a, const Digest& b) const noexcept;
};

}  // namespace gateway

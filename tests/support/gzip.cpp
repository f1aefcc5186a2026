/// RFC 1951 and 1952 by hand: stored blocks, and one block of fixed codes.
#include "support/gzip.hpp"

#include <cstdint>

namespace llmroute::test {

namespace {

const std::string file_head("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

std::string little_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = ~0U;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

/// Bits from the lowest of each byte on.
class BitWriter {
 public:
  /// Codes are sent from their highest bit on.
  void code(unsigned value, int bits) {
    while (bits-- > 0) bit(value >> bits & 1U);
  }
  std::string take() { return std::move(bytes_); }

 private:
  void bit(unsigned value) {
    if (used_ == 0) bytes_ += '\0';
    bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | value << used_);
    used_ = (used_ + 1) % 8;
  }
  std::string bytes_;
  int used_ = 0;
};

}  // namespace

std::string gzip(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::string block = "\x01" + little_endian(size, 2) + little_endian(~size, 2);
  return file_head + block + std::string(text) + little_endian(crc32(text), 4) +
         little_endian(size, 4);
}

std::string gzip_bomb(std::size_t unpacked) {
  BitWriter bits;
  bits.code(0b110, 3);       // the last block, fixed codes
  bits.code(0b00110000, 8);  // a zero
  constexpr std::size_t most = 258;
  for (std::size_t i = 0; i < unpacked / most + 1; ++i) {
    bits.code(0b11000101, 8);  // 258 bytes ...
    bits.code(0, 5);           // ... from one back
  }
  bits.code(0, 7);  // end of the block
  // Nobody who unpacks it comes as far as its checksum.
  return file_head + bits.take() + little_endian(0, 4) +
         little_endian(static_cast<std::uint32_t>(unpacked), 4);
}

}  // namespace llmroute::test

/// Random bytes into text.
#include "unique.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#include "digest.hpp"

namespace gateway {
namespace {

constexpr std::string_view letters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t key_length = 43;  // 62^43 > 2^256
constexpr std::size_t shown = 8;

void fill_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::string uuid_text(Digest bytes, unsigned version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string text = hex_of(bytes).substr(0, 32);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace

std::string make_uuid() {
  Digest bytes{};
  fill_random(std::span(bytes).first(16));
  return uuid_text(bytes, 4);
}

std::string uuid_of(std::string_view text) { return uuid_text(sha256(text), 8); }

/// Bytes that would make some letters likelier than others are thrown away.
std::string make_key() {
  constexpr unsigned even = 256 / letters.size() * letters.size();
  std::string key = "ml-";
  while (key.size() < 3 + key_length) {
    std::array<unsigned char, 64> bytes{};
    fill_random(bytes);
    for (const unsigned char byte : bytes) {
      if (byte < even && key.size() < 3 + key_length) key += letters[byte % letters.size()];
    }
  }
  return key;
}

std::string prefix_of(std::string_view key) { return std::string(key.substr(0, shown)); }

}  // namespace gateway

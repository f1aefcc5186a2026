/// From records to the table.
#include "key_ring.hpp"

#include <utility>

namespace gateway {
namespace {

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

/// The other way round than hex_of().
Digest digest_of(std::string_view hex) {
  Digest digest{};
  for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i) {
    digest[i] = static_cast<unsigned char>(hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]));
  }
  return digest;
}

}  // namespace

KeyTable table_of(std::span<const KeyRecord> keys) {
  KeyTable table;
  for (const KeyRecord& key : keys) {
    if (!key.active) continue;
    auto identity = std::make_shared<const Identity>(Identity{.tenant = key.id,
                                                              .key_prefix = key.prefix,
                                                              .allowed_models = key.allowed_models,
                                                              .rpm = key.rpm_limit,
                                                              .tpm = key.tpm_limit});
    table.emplace(digest_of(key.hash), HeldKey{std::move(identity), key.expires_at});
  }
  return table;
}

}  // namespace gateway

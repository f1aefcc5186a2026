/// The keys that callers may have, in memory: a table by digest that is exchanged whole when a key
/// changes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "digest.hpp"
#include "identity.hpp"
#include "published.hpp"
#include "store/records.hpp"
#include "timestamp.hpp"

namespace gateway {

/// What is behind a key that is good until it expires.
struct HeldKey {
  std::shared_ptr<const Identity> identity{};
  std::optional<Timestamp> expires_at{};
};
using KeyTable = std::unordered_map<Digest, HeldKey, DigestHash, DigestEqual>;

/// Those of `keys` that are active. The tenant is the key's id.
KeyTable table_of(std::span<const KeyRecord> keys);

using KeyRing = Published<KeyTable>;

}  // namespace gateway

/// The table of keys.
#include "gateway/key_ring.hpp"

#include <catch2/catch.hpp>

using gateway::KeyRecord;
using gateway::sha256;

TEST_CASE("active keys are found by the digest of what callers send", "[gateway][keys]") {
  const std::vector<KeyRecord> records = {
      {.id = "1", .hash = gateway::hex_of(sha256("ml-a")), .prefix = "ml-a", .expires_at = 9},
      {.id = "2", .hash = gateway::hex_of(sha256("ml-b")), .active = false}};
  gateway::KeyRing ring;
  gateway::KeyRing::Reader reader(ring);
  CHECK(reader.get().empty());
  ring.publish(gateway::table_of(records));
  REQUIRE(reader.get().size() == 1);
  const auto found = reader.get().find(sha256("ml-a"));
  REQUIRE(found != reader.get().end());
  CHECK(found->second.identity->tenant == "1");
  CHECK(found->second.identity->key_prefix == "ml-a");
  CHECK(found->second.expires_at == 9);
}

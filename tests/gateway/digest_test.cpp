/// SHA-256, by the examples of FIPS 180-4.
#include "gateway/digest.hpp"

#include <catch2/catch.hpp>

using gateway::hex_of;
using gateway::sha256;

TEST_CASE("the digests of known texts", "[gateway][digest]") {
  CHECK(hex_of(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("digests as keys of a table", "[gateway][digest]") {
  const gateway::DigestEqual equal;
  const gateway::DigestHash hash;
  CHECK(equal(sha256("a"), sha256("a")));
  CHECK(hash(sha256("a")) == hash(sha256("a")));
  CHECK(hash(sha256("a")) != hash(sha256("b")));
  gateway::Digest other = sha256("a");
  other.back() ^= 1;
  CHECK_FALSE(equal(sha256("a"), other));
}

/// Addresses to listen on.
#include "gateway/address.hpp"

#include <catch2/catch.hpp>

using gateway::read_address;

TEST_CASE("host and port of an address", "[gateway][address]") {
  const auto [text, host, port] =
      GENERATE(table<const char*, const char*, int>({{"127.0.0.1:9000", "127.0.0.1", 9000},
                                                     {"[::1]:0", "::1", 0},
                                                     {"localhost:65535", "localhost", 65535}}));
  const auto address = read_address(text);
  REQUIRE(address);
  CHECK(address->host == host);
  CHECK(address->port == port);
}

TEST_CASE("what is no address", "[gateway][address]") {
  for (const char* wrong : {"", "9000", ":9000", "localhost", "localhost:", "localhost:65536",
                            "localhost:-1", "::1:9000", "localhost:90x", "[]:1"}) {
    CAPTURE(wrong);
    const auto address = read_address(wrong);
    REQUIRE_FALSE(address);
    CHECK(address.error().message.find("host:port") != std::string::npos);
  }
}

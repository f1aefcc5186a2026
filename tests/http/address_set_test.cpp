/// Which addresses belong to a set, and whom a proxy speaks for.
#include <catch2/catch.hpp>

#include "http/address_set.hpp"
#include "http/head_parser.hpp"

using http::AddressSet;
using http::bare_address;
using http::forwarded_client;

namespace {

AddressSet set_of(std::vector<std::string> networks) {
  auto set = AddressSet::of(networks);
  REQUIRE(set);
  return *set;
}

http::Request request_with(const std::string& fields) {
  http::Request request;
  http::HeadParser parser({});
  REQUIRE_FALSE(parser.read("GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n", request));
  return request;
}

}  // namespace

TEST_CASE("a set of addresses", "[http][address]") {
  const AddressSet set = set_of({"10.0.0.0/8", "192.168.1.7", "172.16.0.0/12", "fd00::/9", "::1"});
  CHECK_FALSE(set.empty());
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.168.1.7", "172.31.0.1", "fd7f::1",
                         "::1", "::ffff:10.1.2.3"}) {
    CAPTURE(in);
    CHECK(set.contains(in));
  }
  for (const char* out : {"11.0.0.0", "192.168.1.8", "172.32.0.1", "fd80::1", "::2", "127.0.0.1",
                          "", "10.0.0", "10.0.0.1:80", "x", "::ffff:11.0.0.1"}) {
    CAPTURE(out);
    CHECK_FALSE(set.contains(out));
  }
  CHECK(set_of({"0.0.0.0/0"}).contains("8.8.8.8"));
  CHECK_FALSE(set_of({"0.0.0.0/0"}).contains("::1"));
  CHECK(set_of({"::/0"}).contains("8.8.8.8"));
  CHECK(AddressSet().empty());
  CHECK_FALSE(AddressSet().contains("10.0.0.1"));
}

TEST_CASE("what is no address and no network", "[http][address]") {
  const char* text = GENERATE("", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x",
                              "::/129", "10.0.0/8", "localhost", "10.0.0.0/8/8");
  CAPTURE(text);
  const auto set = AddressSet::of({"10.0.0.1", text});
  REQUIRE_FALSE(set);
  CHECK_THAT(set.error().message, Catch::Contains("\"" + std::string(text) + "\""));
}

TEST_CASE("an address without what stands around it", "[http][address]") {
  CHECK(bare_address(" 10.0.0.1\t") == "10.0.0.1");
  CHECK(bare_address("10.0.0.1:443") == "10.0.0.1");
  CHECK(bare_address("[::1]:443") == "::1");
  CHECK(bare_address("[::1]") == "::1");
  CHECK(bare_address("fe80::1%eth0") == "fe80::1");
  for (const char* none : {"", "unknown", "_hidden", "[::1", "10.0.0", "a.b.c.d:1", "1:2"}) {
    CAPTURE(none);
    CHECK(bare_address(none).empty());
  }
}

TEST_CASE("of what X-Forwarded-For says the part that proxies vouch for counts",
          "[http][address]") {
  const AddressSet trusted = set_of({"10.0.0.0/8"});
  const auto [fields, client] = GENERATE(table<const char*, const char*>({
      {"X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4"},
      {"x-forwarded-for: 6.6.6.6, 1.2.3.4\r\n", "1.2.3.4"},
      {"X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2\r\n", "1.2.3.4"},
      {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.2\r\n",
       "1.2.3.4"},
      {"X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3"},
      {"X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2\r\n", "10.0.0.2"},
      {"X-Forwarded-For: 1.2.3.4:5678\r\n", "1.2.3.4"},
      {"X-Forwarded-For: [2001:db8::1]:443\r\n", "2001:db8::1"},
  }));
  CAPTURE(fields);
  const http::Request request = request_with(fields);
  CHECK(forwarded_client(request, trusted) == std::string_view(client));
}

TEST_CASE("a proxy that says nothing speaks for nobody", "[http][address]") {
  const char* fields = GENERATE("", "X-Forwarded-For: \r\n", "X-Forwarded-For: unknown\r\n",
                                "X-Forwarded: 1.2.3.4\r\n", "X-Forwarded-For: 1.2.3.4,\r\n");
  CAPTURE(fields);
  const http::Request request = request_with(fields);
  CHECK_FALSE(forwarded_client(request, set_of({"10.0.0.0/8"})));
}

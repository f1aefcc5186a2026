/// One spelling a node.
#include "gateway/node_url.hpp"

#include <catch2/catch.hpp>

using gateway::node_url;

TEST_CASE("the same place is spelt the same", "[gateway][node_url]") {
  const auto [written, spelt] = GENERATE(
      table<const char*, const char*>({{"http://gpu-1:8000", "http://gpu-1:8000"},
                                       {"HTTP://GPU-1:8000/", "http://gpu-1:8000"},
                                       {"http://gpu-1:8000/v1", "http://gpu-1:8000"},
                                       {"http://gpu-1:8000/v1/", "http://gpu-1:8000"},
                                       {"http://gpu-1:80", "http://gpu-1"},
                                       {"https://api.example:443/v1", "https://api.example"},
                                       {"https://api.example:80", "https://api.example:80"},
                                       {"http://gpu-1/Custom/v1//", "http://gpu-1/Custom/v1"},
                                       {"http://[::1]:8000", "http://[::1]:8000"}}));
  CAPTURE(written);
  const auto url = node_url(written);
  REQUIRE(url);
  CHECK(*url == spelt);
}

TEST_CASE("what is no node's URL is refused by name", "[gateway][node_url]") {
  for (const char* wrong : {"", "gpu-1:8000", "ftp://gpu-1", "http://", "http://gpu-1:0",
                            "http://gpu 1", "http://gpu-1?x=1", "http://u:secret@gpu-1"}) {
    CAPTURE(wrong);
    const auto url = node_url(wrong);
    REQUIRE_FALSE(url);
    CHECK(url.error().param == "url");
    CHECK(url.error().code == llmroute::ErrorCode::invalid_argument);
    CHECK(url.error().message.find("secret") == std::string::npos);
    CHECK(url.error().message.find("nodes[") == std::string::npos);
  }
}

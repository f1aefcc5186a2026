/// The names in tables of tokens are credentials: no message about a configuration has one.
#include <catch2/catch.hpp>

#include "forms.hpp"

using Catch::Contains;
using gateway_test::refusal_of;

namespace {

constexpr const char* node_of_tests = "nodes: [{ url: \"http://a:1\" }]\n";

}  // namespace

TEST_CASE("a token that is given twice is not told", "[gateway][load]") {
  for (const std::string text :
       {"tenants: { sk-demo-123: a, sk-demo-123: b }\n",
        "tenants:\n  sk-demo-123: a\n  sk-demo-123: b\n",
        "auth: { tokens: { sk-demo-123: a, sk-demo-123: b } }\n",
        "tenants: { sk-demo-123: !mine b }\n", "tenants: { sk-demo-123: .inf }\n",
        "tenants: { sk-demo-123: { a: 1, a: 2 } }\n", "auth: { tokens: { sk-demo-123: [~] } }\n"}) {
    CAPTURE(text);
    CHECK_THAT(refusal_of("a.yaml", node_of_tests + text),
               Contains("a.yaml:") && Contains(".****\"") && !Contains("demo"));
  }
}

TEST_CASE("nor is it in TOML, whose reader quotes what it finds", "[gateway][load]") {
  for (const std::string text :
       {"[auth.tokens]\nsk-demo-123 = \"a\"\nsk-demo-123 = \"b\"\n",
        "[auth]\ntokens = { sk-demo-123 = \"a\", sk-demo-123 = \"b\" }\n",
        "[auth]\ntokens.sk-demo-123 = \"a\"\ntokens.sk-demo-123 = \"b\"\n",
        "[auth.tokens]\n\"it's sk-demo-123\" = \"a\"\n\"it's sk-demo-123\" = \"b\"\n",
        "[auth.tokens.sk-demo-123]\n[auth.tokens.sk-demo-123]\n",
        "[auth.tokens]\nsk-demo-123 = \"a\"\n[auth.tokens.sk-demo-123]\n",
        "[auth]\ntokens = {}\n[auth.tokens.sk-demo-123]\n", "[auth.tokens]\nsk-demo-123 = inf\n",
        "[auth.tokens]\nsk-demo-123 = 1979-05-27\n"}) {
    CAPTURE(text);
    CHECK_THAT(refusal_of("a.toml", text),
               Contains("a.toml:") && Contains("****") && !Contains("demo"));
  }
  CHECK_THAT(refusal_of("a.toml", "[auth]\nauth_token = 12345678901234567890123\n"),
             Contains("a.toml:2") && Contains("not TOML") && !Contains("234567"));
  CHECK_THAT(refusal_of("a.toml", "[auth]\nauth_token 5\n"), Contains("'='") && Contains("'5'"));
}

/// Tokens and request ids.
#include <catch2/catch.hpp>
#include <set>

#include "gateway/auth.hpp"
#include "gateway/request_id.hpp"

using gateway::Auth;

TEST_CASE("with a token set", "[gateway][auth]") {
  const Auth auth("s3cret");
  CHECK(auth.required());
  CHECK(auth.admits("Bearer s3cret"));
  CHECK(auth.admits("bearer   s3cret"));
  for (const char* wrong : {"Bearer s3cre", "Bearer s3cretx", "Bearer s3creT", "Bearer ", "Bearer",
                            "", "Basic s3cret", "s3cret", "Bearer s3crets3cret"}) {
    CAPTURE(wrong);
    CHECK_FALSE(auth.admits(wrong));
  }
  CHECK_FALSE(auth.admits(std::nullopt));
}

TEST_CASE("without a token everyone is let in", "[gateway][auth]") {
  const Auth auth("");
  CHECK_FALSE(auth.required());
  CHECK(auth.admits(std::nullopt));
  CHECK(auth.admits("Bearer anything"));
}

TEST_CASE("secrets are the same only when every byte is", "[gateway][auth]") {
  CHECK(gateway::same_secret("", ""));
  CHECK(gateway::same_secret("abc", "abc"));
  CHECK_FALSE(gateway::same_secret("abc", ""));
  CHECK_FALSE(gateway::same_secret("", "abc"));
  CHECK_FALSE(gateway::same_secret("abcabc", "abc"));
}

TEST_CASE("a caller's request id is taken when it is sane", "[gateway][request_id]") {
  CHECK(gateway::sane_request_id("A-z_0.9"));
  CHECK(gateway::sane_request_id(std::string(128, 'a')));
  CHECK_FALSE(gateway::sane_request_id(std::string(129, 'a')));
  for (const char* bad : {"", "a b", "a\nb", "a\"b", "ü", "a;b"})
    CHECK_FALSE(gateway::sane_request_id(bad));
}

TEST_CASE("made request ids are sane and differ", "[gateway][request_id]") {
  llmroute::Rng rng(7);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = gateway::make_request_id(rng);
    CHECK(gateway::sane_request_id(id));
    ids.insert(id);
  }
  CHECK(ids.size() == 1000);
}

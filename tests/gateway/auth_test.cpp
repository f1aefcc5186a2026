/// Credentials, and request ids.
#include <catch2/catch.hpp>
#include <set>

#include "gateway/auth.hpp"
#include "gateway/request_id.hpp"

using gateway::Auth;
using gateway::AuthOptions;
using gateway::KeyRecord;
using gateway::KeyTable;

namespace {

const KeyTable no_keys;

bool admits(const Auth& auth, std::optional<std::string_view> field,
            const KeyTable& keys = no_keys) {
  return auth.admit(field, keys).admitted;
}

KeyRecord record(std::string_view key) {
  return {.id = "id-1", .hash = gateway::hex_of(gateway::sha256(key)), .prefix = "ml-secre"};
}

}  // namespace

TEST_CASE("with a token set", "[gateway][auth]") {
  const Auth auth(AuthOptions{.auth_token = "s3cret"});
  CHECK(auth.required());
  CHECK(admits(auth, "Bearer s3cret"));
  CHECK(admits(auth, "bearer   s3cret"));
  CHECK(auth.admit("Bearer s3cret", no_keys).identity == nullptr);
  for (const char* wrong : {"Bearer s3cre", "Bearer s3cretx", "Bearer s3creT", "Bearer ", "Bearer",
                            "", "Basic s3cret", "s3cret", "Bearer s3crets3cret"}) {
    CAPTURE(wrong);
    CHECK_FALSE(admits(auth, wrong));
  }
  CHECK_FALSE(admits(auth, std::nullopt));
}

TEST_CASE("without any setting everyone is let in", "[gateway][auth]") {
  const Auth auth(AuthOptions{});
  CHECK_FALSE(auth.required());
  CHECK(admits(auth, std::nullopt));
  CHECK(admits(auth, "Bearer anything"));
}

TEST_CASE("a tenant's token says who it is", "[gateway][auth]") {
  const Auth auth(AuthOptions{.tokens = {{"sk-a", "tenant-a"}, {"sk-b", "tenant-b"}, {"", "all"}}});
  CHECK(auth.required());
  const auto admission = auth.admit("Bearer sk-b", no_keys);
  REQUIRE(admission.admitted);
  CHECK(admission.identity->tenant == "tenant-b");
  CHECK(admission.identity->key_prefix.empty());  // of a short one it would be the whole
  for (const char* wrong : {"Bearer sk-c", "Bearer ", "Bearer tenant-a"}) {
    CAPTURE(wrong);
    CHECK_FALSE(admits(auth, wrong));
  }
}

TEST_CASE("a key of the store", "[gateway][auth]") {
  const Auth auth(AuthOptions{.keys = true});
  CHECK(auth.required());
  KeyRecord key = record("ml-secret");
  SECTION("lets in whom it was made for") {
    key.allowed_models = {"tiny"};
    key.rpm_limit = 5;
    const auto admission = auth.admit("Bearer ml-secret", gateway::table_of({{key}}));
    REQUIRE(admission.admitted);
    CHECK(admission.identity->tenant == "id-1");
    CHECK(admission.identity->key_prefix == "ml-secre");
    CHECK(admission.identity->may_use("tiny"));
    CHECK_FALSE(admission.identity->may_use("large"));
    CHECK(admission.identity->rpm == 5);
    CHECK_FALSE(admission.identity->tpm);
  }
  SECTION("is of no use when it is another") {
    CHECK_FALSE(admits(auth, "Bearer ml-secreT", gateway::table_of({{key}})));
    CHECK_FALSE(admits(auth, "Bearer " + key.hash, gateway::table_of({{key}})));
  }
  SECTION("is of no use once revoked") {
    key.active = false;
    CHECK_FALSE(admits(auth, "Bearer ml-secret", gateway::table_of({{key}})));
  }
  SECTION("is of no use once expired") {
    key.expires_at = gateway::now_timestamp() - 1;
    CHECK_FALSE(admits(auth, "Bearer ml-secret", gateway::table_of({{key}})));
    key.expires_at = gateway::now_timestamp() + 60'000'000;
    CHECK(admits(auth, "Bearer ml-secret", gateway::table_of({{key}})));
  }
  SECTION("is of no use where keys are off") {
    const Auth off(AuthOptions{.auth_token = "x"});
    CHECK_FALSE(admits(off, "Bearer ml-secret", gateway::table_of({{key}})));
  }
}

TEST_CASE("each of several ways in is one", "[gateway][auth]") {
  const Auth auth(AuthOptions{.auth_token = "one", .tokens = {{"two", "t"}}, .keys = true});
  const KeyTable keys = gateway::table_of({{record("ml-three")}});
  for (const char* good : {"Bearer one", "Bearer two", "Bearer ml-three"}) {
    CAPTURE(good);
    CHECK(admits(auth, good, keys));
  }
  CHECK_FALSE(admits(auth, "Bearer four", keys));
}

TEST_CASE("the admin key is a door of its own", "[gateway][auth]") {
  const Auth auth(AuthOptions{.auth_token = "client", .admin_key = "master"});
  CHECK(auth.admin_on());
  CHECK(auth.admits_admin("master"));
  for (const char* wrong : {"", "client", "maste", "masterx", "Bearer master"}) {
    CAPTURE(wrong);
    CHECK_FALSE(auth.admits_admin(wrong));
  }
  CHECK_FALSE(auth.admits_admin(std::nullopt));
  CHECK_FALSE(admits(auth, "Bearer master"));
  CHECK(auth.admin_name().starts_with("admin-"));
  CHECK(auth.admin_name().find("mast") == std::string::npos);
}

TEST_CASE("without an admin key nobody is admin", "[gateway][auth]") {
  const Auth auth(AuthOptions{.auth_token = "client"});
  CHECK_FALSE(auth.admin_on());
  CHECK_FALSE(auth.admits_admin(""));
  CHECK_FALSE(auth.admits_admin(std::nullopt));
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

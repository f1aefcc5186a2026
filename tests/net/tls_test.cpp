/// TLS: trusted when the certificate is the one expected, else nothing is sent.
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "net/transfer_fixture.hpp"
#include "support/tls_identity.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Endpoint;
using net::Loop;
using Kind = net::TransferError::Kind;

namespace {

Script ok(const SeenRequest&) { return answer(200, "{}"); }

Endpoint trusting(const ScriptedUpstream& node, const std::string& ca_file) {
  return Endpoint({.url = node.url(), .tls = {.ca_file = ca_file}});
}

}  // namespace

TEST_CASE("a node with the right certificate is talked to", "[net][tls]") {
  Loop loop;
  const TlsIdentity identity;
  ScriptedUpstream node(&ok, &identity);
  const Endpoint to = trusting(node, identity.certificate_file());
  for (int i = 0; i < 10; ++i) CHECK(fetch(loop, to, "{}").kind == Chunk::Kind::end);
  CHECK(node.connections() == 1);

  SECTION("and by loops side by side, which share sessions") {
    Loop other;
    CHECK(fetch(other, to, "{}").kind == Chunk::Kind::end);
  }
}

TEST_CASE("TLS fails closed", "[net][tls]") {
  Loop loop;
  SECTION("when nobody vouches for the certificate") {
    const TlsIdentity identity;
    ScriptedUpstream node(&ok, &identity);
    CHECK(fetch(loop, Endpoint({.url = node.url()}), "{}").error->kind == Kind::tls);
    CHECK(node.request_count() == 0);

    SECTION("unless checking was switched off") {
      const Endpoint unchecked({.url = node.url(), .tls = {.verify = false}});
      CHECK(fetch(loop, unchecked, "{}").kind == Chunk::Kind::end);
      CHECK(fetch(loop, Endpoint({.url = node.url()}), "{}").error->kind == Kind::tls);
    }
  }
  SECTION("when the node waits for a request in clear") {
    ScriptedUpstream node(raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close());
    const Endpoint to({.url = "https://127.0.0.1:" + std::to_string(node.port()),
                       .connect_timeout = std::chrono::seconds(1)});
    const Fetched got = fetch(loop, to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK(got.error->kind == Kind::timeout_connect);
    CHECK(node.request_count() == 0);
  }
}

namespace {

/// What the caller reads of a failure of TLS; nothing may have been sent.
std::string reason(const ScriptedUpstream& node, const TlsConfig& tls) {
  Loop loop;
  const Endpoint to({.url = "https://127.0.0.1:" + std::to_string(node.port()), .tls = tls});
  const Fetched got = fetch(loop, to, "{}");
  REQUIRE(got.kind == Chunk::Kind::failed);
  CHECK(got.error->kind == Kind::tls);
  CHECK(node.request_count() == 0);
  CHECK(got.error->text.find("verify =") == std::string::npos);
  return got.error->text;
}

std::string reason(const TlsIdentity& identity) {
  ScriptedUpstream node(&ok, &identity);
  return reason(node, {.ca_file = identity.certificate_file()});
}

}  // namespace

TEST_CASE("why TLS failed is said in words, with the setting that helps", "[net][tls]") {
  using Validity = TlsIdentity::Validity;
  const TlsIdentity identity;
  const TlsIdentity other;
  SECTION("expired") {
    CHECK_THAT(reason(TlsIdentity("IP:127.0.0.1", Validity::expired)),
               Catch::StartsWith("TLS: the node's certificate has expired: renew it there ("));
  }
  SECTION("not valid yet") {
    CHECK_THAT(reason(TlsIdentity("IP:127.0.0.1", Validity::to_come)),
               Catch::Contains("not valid yet: compare the clocks"));
  }
  SECTION("another's name") {
    CHECK_THAT(reason(TlsIdentity("DNS:other.test")),
               Catch::Contains("for another name than url has"));
  }
  SECTION("signed by itself") {
    ScriptedUpstream node(&ok, &identity);
    CHECK_THAT(reason(node, {}),
               Catch::Contains("signed by itself") && Catch::Contains("tls.ca_file"));
  }
  SECTION("signed by somebody unknown") {
    const TlsIdentity signed_one("IP:127.0.0.1", Validity::good, &other);
    ScriptedUpstream node(&ok, &signed_one);
    CHECK_THAT(reason(node, {.ca_file = identity.certificate_file()}),
               Catch::Contains("nobody who is trusted") && Catch::Contains("tls.ca_file"));
  }
  SECTION("no TLS") {
    ScriptedUpstream node(&ok);
    node.greet(Greeting::plain_http);
    CHECK_THAT(reason(node, {}),
               Catch::Contains("does not speak TLS") && Catch::Contains("http://"));
  }
  SECTION("TLS too old") {
    TlsIdentity old;
    old.speak_at_most(TLS1_1_VERSION);
    CHECK_THAT(reason(old), Catch::Contains("no TLS version from 1.2 on"));
  }
  SECTION("files that are not what they should be") {
    ScriptedUpstream node(&ok, &identity);
    const TemporaryFile text("no certificate");
    CHECK_THAT(reason(node, {.ca_file = text.path()}),
               Catch::Contains("no certificate in tls.ca_file"));
    CHECK_THAT(reason(node, {.ca_file = "/nonexistent"}), Catch::Contains("tls.ca_file"));
    CHECK_THAT(reason(node, {.cert_file = text.path()}), Catch::Contains("tls.cert_file"));
    CHECK_THAT(
        reason(node, {.cert_file = identity.certificate_file(), .key_file = other.key_file()}),
        Catch::Contains("tls.key_file"));
  }
}

TEST_CASE("a node that demands a client certificate", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  CAPTURE(version);
  const TlsIdentity client("DNS:client");
  TlsIdentity identity;
  identity.demand(client);
  identity.speak_at_most(version);
  ScriptedUpstream node(&ok, &identity);
  TlsConfig tls{.ca_file = identity.certificate_file()};

  SECTION("is talked to with it") {
    tls.cert_file = client.certificate_file();
    tls.key_file = client.key_file();
    Loop loop;
    CHECK(fetch(loop, Endpoint({.url = node.url(), .tls = tls}), "{}").kind == Chunk::Kind::end);
  }
  SECTION("is not without, and the reason names the setting") {
    CHECK_THAT(reason(node, tls), Catch::Contains("tls.cert_file"));
  }
  SECTION("is not with another's") {
    const TlsIdentity stranger("DNS:stranger");
    tls.cert_file = stranger.certificate_file();
    tls.key_file = stranger.key_file();
    CHECK_THAT(reason(node, tls), Catch::Contains("does not accept the client certificate"));
  }
}

/// TLS: trusted when the certificate is the one expected, else nothing is sent.
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
  SECTION("when it is another's") {
    const TlsIdentity identity("DNS:other.test");
    ScriptedUpstream node(&ok, &identity);
    CHECK(fetch(loop, trusting(node, identity.certificate_file()), "{}").error->kind == Kind::tls);
  }
  SECTION("when it has expired") {
    const TlsIdentity identity("IP:127.0.0.1", true);
    ScriptedUpstream node(&ok, &identity);
    CHECK(fetch(loop, trusting(node, identity.certificate_file()), "{}").error->kind == Kind::tls);
  }
  SECTION("when the node speaks plain HTTP") {
    ScriptedUpstream node(raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").close());
    // A TLS hello has no end of header, so the script is fed by hand.
    const Endpoint to({.url = "https://127.0.0.1:" + std::to_string(node.port()),
                       .connect_timeout = std::chrono::seconds(1)});
    const Fetched got = fetch(loop, to, "{}");
    REQUIRE(got.kind == Chunk::Kind::failed);
    CHECK((got.error->kind == Kind::tls || got.error->kind == Kind::timeout_connect));
    CHECK(node.request_count() == 0);
  }
  SECTION("when a file of the configuration is not there") {
    const TlsIdentity identity;
    ScriptedUpstream node(&ok, &identity);
    CHECK(fetch(loop, trusting(node, "/nonexistent/ca.pem"), "{}").error->kind == Kind::tls);
    const Endpoint to({.url = node.url(), .tls = {.cert_file = "/nonexistent/cert.pem"}});
    CHECK(fetch(loop, to, "{}").error->kind == Kind::tls);
  }
}

/// What the tests of HTTP/2 share: a node with a certificate, and a loop that trusts it.
#pragma once

#include <string>
#include <utility>

#include "net/transfer_fixture.hpp"
#include "support/h2_upstream.hpp"
#include "support/tls_identity.hpp"

namespace llmroute::test {

struct H2Fixture {
  explicit H2Fixture(H2Upstream::Handler handler) : node(std::move(handler), identity) {}
  explicit H2Fixture(const H2Script& script)
      : H2Fixture([script](const SeenRequest&) { return script; }) {}

  net::Endpoint asking(HttpVersion version) const {
    return net::Endpoint({.url = node.url("/v1/chat/completions"),
                          .tls = {.ca_file = identity.certificate_file()},
                          .http_version = version});
  }

  TlsIdentity identity{};
  H2Upstream node;
  net::Loop loop{};
  net::Endpoint to = asking(HttpVersion::automatic);
};

/// Reads a stream to its end, which is `kind`.
inline Fetched read_all(HttpTransferOnLoop& transfer) {
  Fetched got;
  for (;;) {
    const net::Chunk chunk = transfer.next();
    got.kind = chunk.kind;
    if (chunk.kind == net::Chunk::Kind::data) got.body.append(chunk.bytes);
    if (chunk.kind == net::Chunk::Kind::failed) got.error = transfer->error();
    if (chunk.kind != net::Chunk::Kind::head && chunk.kind != net::Chunk::Kind::data) return got;
  }
}

}  // namespace llmroute::test

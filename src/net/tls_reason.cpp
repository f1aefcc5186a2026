/// The table from pieces of libcurl's and OpenSSL's messages. None of its advice is to stop
/// checking.
#include "net/tls_reason.hpp"

#include <algorithm>
#include <iterator>

namespace llmroute::net {

namespace {

struct Reason {
  std::string_view piece;
  std::string_view words;
};

constexpr std::string_view unknown_signer =
    "nobody who is trusted signed the node's certificate: name the signer's in tls.ca_file";
constexpr std::string_view other_name =
    "the node's certificate is for another name than url has: use a name that it holds";
constexpr std::string_view not_accepted =
    "the node does not accept the client certificate in tls.cert_file";
constexpr std::string_view too_old = "the node has no TLS version from 1.2 on";
constexpr std::string_view no_tls =
    "the node does not speak TLS on this port: correct the port, or let url begin with http://";

/// The first whose piece is found holds.
constexpr Reason reasons[] = {
    {"certificate has expired", "the node's certificate has expired: renew it there"},
    {"not yet valid", "the node's certificate is not valid yet: compare the clocks"},
    {"self-signed certificate in", unknown_signer},
    {"self-signed certificate",
     "the node's certificate is signed by itself: if it is the right one, name it in tls.ca_file"},
    {"unable to get", unknown_signer},
    {"target host name", other_name},
    {"certificate required",
     "the node demands a client certificate: set tls.cert_file and tls.key_file"},
    {"alert handshake failure",
     "the node broke the handshake off: it may demand a client certificate (tls.cert_file, "
     "tls.key_file), or have no cipher in common"},
    {"alert bad certificate", not_accepted},
    {"alert certificate", not_accepted},
    {"alert unknown ca", not_accepted},
    {"alert unsupported certificate", not_accepted},
    {"alert protocol version", too_old},
    {"unsupported protocol", too_old},
    {"wrong version number", no_tls},
    {"packet length too long", no_tls},
    {"no application protocol", "the node has no HTTP version in common: see http_version"},
    {"setting certificate", "there is no certificate in tls.ca_file"},
    {"client certificate", "tls.cert_file cannot be used"},
    {"private key", "tls.key_file cannot be used: it is no key, or not that of tls.cert_file"},
};

}  // namespace

std::string tls_reason(std::string_view said) {
  const auto* found = std::find_if(std::begin(reasons), std::end(reasons), [&](const Reason& row) {
    return said.find(row.piece) != said.npos;
  });
  if (found == std::end(reasons)) return std::string("TLS: ").append(said);
  return std::string("TLS: ").append(found->words).append(" (").append(said).append(")");
}

}  // namespace llmroute::net

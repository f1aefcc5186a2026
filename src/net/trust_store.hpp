/// Where the certificates are that this machine trusts. Distributions disagree, and a libcurl that
/// was bundled knows the place of the one it was built on.
#pragma once

#include <string>

namespace llmroute::net {

/// A file, a folder of hashed names, or neither: then libcurl's own default is right.
struct TrustStore {
  std::string file{};
  std::string folder{};
};

/// What the environment names: SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE, SSL_CERT_DIR, the
/// first that is set, taken at its word. Else libcurl's default where that is to be read, else the
/// usual place that is.
TrustStore system_trust();

}  // namespace llmroute::net

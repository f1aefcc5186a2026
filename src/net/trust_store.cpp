/// Looks at the environment, then at what is to be read.
#include "net/trust_store.hpp"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

namespace llmroute::net {

namespace {

/// Of OpenSSL, of the curl program, of Python's requests.
constexpr const char* named_in[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                    "SSL_CERT_DIR"};

constexpr const char* usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Arch, Alpine, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, Red Hat
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same from Fedora 42 on
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine without the package
};

bool readable(const char* path) noexcept { return path != nullptr && access(path, R_OK) == 0; }

TrustStore at(const char* path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  return folder ? TrustStore{.folder = path} : TrustStore{.file = path};
}

}  // namespace

TrustStore system_trust() {
  for (const char* variable : named_in) {
    const char* path = std::getenv(variable);
    if (path != nullptr && *path != '\0') return at(path);
  }
  const curl_version_info_data* curl = curl_version_info(CURLVERSION_NOW);
  if (readable(curl->cainfo) || readable(curl->capath)) return {};
  const char* const* found = std::find_if(std::begin(usual_files), std::end(usual_files), readable);
  return found == std::end(usual_files) ? TrustStore{} : at(*found);
}

}  // namespace llmroute::net

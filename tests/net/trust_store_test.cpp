/// Whom a node's certificate has to be signed by where the configuration names nobody.
#include "net/trust_store.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "net/transfer_fixture.hpp"
#include "support/tls_identity.hpp"

using namespace llmroute;
using namespace llmroute::test;
using net::Chunk;
using net::Endpoint;

namespace {

constexpr const char* variables[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                     "SSL_CERT_DIR"};

/// Sets one of them alone, and none at the end.
class Environment {
 public:
  Environment() { forget(); }
  Environment(const char* variable, const std::string& path) {
    forget();
    ::setenv(variable, path.c_str(), 1);
  }
  ~Environment() { forget(); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static void forget() {
    for (const char* variable : variables) ::unsetenv(variable);
  }
};

/// A folder as OpenSSL looks certificates up in it: by the hash of their subject.
class HashedFolder {
 public:
  explicit HashedFolder(const TlsIdentity& identity) {
    char name[] = "/tmp/llmroute-trust-XXXXXX";
    path_ = ::mkdtemp(name);
    std::FILE* file = std::fopen(identity.certificate_file().c_str(), "r");
    X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    char hash[16];
    std::snprintf(hash, sizeof hash, "%08lx.0", X509_subject_name_hash(certificate));
    X509_free(certificate);
    std::filesystem::copy_file(identity.certificate_file(), std::filesystem::path(path_) / hash);
  }
  ~HashedFolder() { std::filesystem::remove_all(path_); }
  HashedFolder(const HashedFolder&) = delete;
  HashedFolder& operator=(const HashedFolder&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

Script welcome(const SeenRequest&) { return answer(200, "{}"); }

bool trusted(const ScriptedUpstream& node, TlsConfig tls = {}) {
  net::Loop loop;
  return fetch(loop, Endpoint({.url = node.url(), .tls = std::move(tls)}), "{}").kind ==
         Chunk::Kind::end;
}

}  // namespace

TEST_CASE("certificates to trust", "[net][tls]") {
  const TlsIdentity identity;
  const TlsIdentity other;
  ScriptedUpstream node(&welcome, &identity);
  SECTION("are those of the machine") {
    const Environment none;
    CHECK_FALSE(trusted(node));
  }
  SECTION("are in the file that the environment names") {
    const char* variable = GENERATE(variables[0], variables[1], variables[2]);
    CAPTURE(variable);
    const Environment named(variable, identity.certificate_file());
    CHECK(trusted(node));
    CHECK_FALSE(trusted(node, {.ca_file = other.certificate_file()}));  // the configuration wins
  }
  SECTION("are in the folder that the environment names") {
    const HashedFolder folder(identity);
    const char* variable = GENERATE(variables[2], variables[3]);
    CAPTURE(variable);
    const Environment named(variable, folder.path());
    CHECK(trusted(node));
  }
  SECTION("are none where the environment names what is not there") {
    const Environment named("SSL_CERT_FILE", "/nonexistent");
    CHECK(net::system_trust().file == "/nonexistent");
    CHECK_FALSE(trusted(node));
  }
}

/// A certificate made for one test: who a scripted upstream claims to be.
#pragma once

#include <memory>
#include <string>

#include "support/temporary_file.hpp"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct evp_pkey_st EVP_PKEY;

namespace llmroute::test {

/// Signed by itself, so that a client trusts it when, and only when, its ca_file is
/// certificate_file(); or by another.
class TlsIdentity {
 public:
  enum class Validity { good, expired, to_come };

  /// `name` as it stands in the certificate: "IP:127.0.0.1" or "DNS:gpu-1".
  explicit TlsIdentity(const std::string& name = "IP:127.0.0.1", Validity validity = Validity::good,
                       const TlsIdentity* signer = nullptr);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  const std::string& certificate_file() const noexcept { return file_->path(); }
  const std::string& key_file() const noexcept { return key_file_->path(); }
  SSL_CTX* server_context() const noexcept { return context_; }

  /// As a server: from now on only this client is let in.
  void demand(const TlsIdentity& client);

  /// As a server: from now on nothing beyond this version, as OpenSSL numbers them.
  void speak_at_most(int version);

 private:
  SSL_CTX* context_;
  EVP_PKEY* key_;
  std::unique_ptr<TemporaryFile> file_;
  std::unique_ptr<TemporaryFile> key_file_;
};

}  // namespace llmroute::test

/// A certificate made for one test: who a scripted upstream claims to be.
#pragma once

#include <memory>
#include <string>

#include "support/temporary_file.hpp"

typedef struct ssl_ctx_st SSL_CTX;

namespace llmroute::test {

/// Signed by itself, so that a client trusts it when, and only when, its ca_file is
/// certificate_file().
class TlsIdentity {
 public:
  /// `name` as it stands in the certificate: "IP:127.0.0.1" or "DNS:gpu-1". `expired`: since
  /// yesterday.
  explicit TlsIdentity(const std::string& name = "IP:127.0.0.1", bool expired = false);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  const std::string& certificate_file() const noexcept { return file_->path(); }
  SSL_CTX* server_context() const noexcept { return context_; }

 private:
  SSL_CTX* context_;
  std::unique_ptr<TemporaryFile> file_;
};

}  // namespace llmroute::test

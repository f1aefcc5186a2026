/// TLS on a listener, over OpenSSL, at the same seam as plain sockets: bytes in, bytes out, and
/// "not now".
#pragma once

#include <sys/types.h>
#include <array>
#include <llmroute/result.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// OpenSSL's own names, so that its headers stay in tls.cpp.
struct ssl_ctx_st;
struct ssl_st;

namespace http {

/// Files in PEM.
struct TlsFiles {
  std::string cert_file{};       ///< the certificate, with those between it and the root
  std::string key_file{};        ///< without a pass phrase
  std::string client_ca_file{};  ///< callers need a certificate that it has signed; empty: none
};

/// What all connections of a listener share. Immutable, so any thread.
class TlsContext {
 public:
  /// An invalid_config that begins with the file's key and says what is wrong with the file.
  static llmroute::Result<std::shared_ptr<TlsContext>> load(const TlsFiles& files);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const noexcept { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) noexcept : context_(context) {}
  ssl_ctx_st* context_;
};

/// Pieces of output in a row.
using OutputParts = std::array<std::string_view, 3>;

/// One connection's. The socket does not block, is borrowed, and writes to it raise no SIGPIPE
/// because the program ignores that.
class TlsSession {
 public:
  /// Throws std::bad_alloc.
  TlsSession(const TlsContext& context, int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class Shake : std::uint8_t { done, reading, writing, plain_http, failed };

  bool ready() const noexcept { return ready_; }
  Shake shake_hands() noexcept;

  /// As recv(2) does: how many bytes, 0 at the end, -1 with errno.
  ssize_t read(std::span<char> buffer) noexcept;

  /// Sends what the socket takes; what is left stays in the parts, and has to be given again, first
  /// and in this order. False: the connection is broken.
  bool send(OutputParts& parts) noexcept;

  /// Tells the other side that this was all.
  void say_goodbye() noexcept;

 private:
  ssl_st* ssl_;
  bool ready_ = false;
  bool broken_ = false;
};

}  // namespace http

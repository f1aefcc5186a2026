/// OpenSSL's ways put into words of sockets.
#include "tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace http {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;

/// What one record holds at most (RFC 8446, section 5.1).
constexpr std::size_t record = 16 * 1024;

/// Why the last call failed, in OpenSSL's words; of a file that is not there, the system's.
std::string reason() {
  const unsigned long error = ERR_peek_last_error();
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const unsigned long first = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(first)) return std::strerror(ERR_GET_REASON(first));
  const char* text = ERR_reason_error_string(error);
  return text == nullptr ? "is not in PEM" : text;
}

Error wrong(std::string_view key, const std::string& file) {
  return Error{.code = ErrorCode::invalid_config,
               .message = fmt::format("{}: {}: {}", key, file, reason()),
               .param = std::string(key)};
}

/// A key with a pass phrase is refused instead of asking at the terminal.
int no_pass_phrase(char*, int, int, void*) { return 0; }

/// HTTP/1.1 is all that is spoken; who offers nothing of the kind is let in all the same.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void set_up(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A body's end is told by its framing, so a connection that just ends is no attack on it.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets do
  static constexpr unsigned char name[] = "llmroute";
  SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1);
  SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

/// The first bytes of `parts` that make one record: where they are when they are in one piece, else
/// put together in `scratch`. The same bytes give the same record, which a repeated write needs.
std::string_view next_record(const OutputParts& parts, std::span<char> scratch) {
  std::size_t size = 0;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    if (size == 0 && part.size() >= scratch.size()) return part.substr(0, scratch.size());
    const std::size_t taken = std::min(part.size(), scratch.size() - size);
    std::copy_n(part.data(), taken, scratch.data() + size);
    size += taken;
  }
  return {scratch.data(), size};
}

void drop_sent(OutputParts& parts, std::size_t sent) {
  for (std::string_view& part : parts) {
    const std::size_t taken = std::min(sent, part.size());
    part.remove_prefix(taken);
    sent -= taken;
  }
}

}  // namespace

llmroute::Result<std::shared_ptr<TlsContext>> TlsContext::load(const TlsFiles& files) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) throw std::bad_alloc();
  const std::shared_ptr<TlsContext> loaded(new TlsContext(context));
  set_up(context);
  if (SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str()) != 1) {
    return wrong("cert_file", files.cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return wrong("key_file", files.key_file);
  }
  if (files.client_ca_file.empty()) return loaded;
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.client_ca_file.c_str());
  if (names == nullptr ||
      SSL_CTX_load_verify_locations(context, files.client_ca_file.c_str(), nullptr) != 1) {
    return wrong("client_ca_file", files.client_ca_file);
  }
  SSL_CTX_set_client_CA_list(context, names);  // takes them over
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return loaded;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsSession::TlsSession(const TlsContext& context, int socket) : ssl_(SSL_new(context.get())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  if (SSL_set_fd(ssl_, socket) != 1) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

TlsSession::Shake TlsSession::shake_hands() noexcept {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) {
    ready_ = true;
    return Shake::done;
  }
  const int error = SSL_get_error(ssl_, done);
  if (error == SSL_ERROR_WANT_READ) return Shake::reading;
  if (error == SSL_ERROR_WANT_WRITE) return Shake::writing;
  broken_ = true;
  const int why = ERR_GET_REASON(ERR_peek_error());
  return why == SSL_R_HTTP_REQUEST ? Shake::plain_http : Shake::failed;
}

ssize_t TlsSession::read(std::span<char> buffer) noexcept {
  ERR_clear_error();
  const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
  if (got > 0) return got;
  const int error = SSL_get_error(ssl_, got);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  const bool later = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  if (!later) broken_ = true;
  errno = later ? EAGAIN : ECONNRESET;
  return -1;
}

bool TlsSession::send(OutputParts& parts) noexcept {
  static thread_local std::array<char, record> scratch;
  for (;;) {
    const std::string_view bytes = next_record(parts, scratch);
    if (bytes.empty()) return true;
    ERR_clear_error();
    const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) {
      drop_sent(parts, static_cast<std::size_t>(sent));
      continue;
    }
    const int error = SSL_get_error(ssl_, sent);
    if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) return true;
    broken_ = true;
    return false;
  }
}

void TlsSession::say_goodbye() noexcept {
  if (!ready_ || broken_) return;  // after a failure OpenSSL wants no more calls
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

}  // namespace http

/// The table from libcurl's result codes to what a router can act on.
#include "net/transfer_error.hpp"

#include <curl/curl.h>

#include <string_view>

#include "net/tls_reason.hpp"

namespace llmroute::net {

namespace {

using Kind = TransferError::Kind;

Kind kind_of(int code, bool head_complete) noexcept {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Kind::dns;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
      return Kind::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::timeout_connect;  // no other clock is libcurl's
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
      return Kind::tls;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:         // GOAWAY
    case CURLE_HTTP2_STREAM:  // RST_STREAM, by the node or for what it sent
      return head_complete ? Kind::cut : Kind::reset_before_head;
    case CURLE_UNSUPPORTED_PROTOCOL:  // a status line that is none
    case CURLE_OUT_OF_MEMORY:         // a header beyond libcurl's own limit
    case CURLE_BAD_CONTENT_ENCODING:  // an unknown transfer coding
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_TOO_MANY_REDIRECTS:
      return Kind::protocol;
    case CURLE_FILESIZE_EXCEEDED:
      return Kind::too_large;
    default:
      return Kind::internal;
  }
}

const char* text_of(int code) noexcept {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "not an HTTP response";
    case CURLE_OUT_OF_MEMORY:
      return "a response header beyond every limit";
    case CURLE_BAD_CONTENT_ENCODING:
      return "an unknown transfer coding";
    case CURLE_GOT_NOTHING:
      return "connection closed without an answer";
    default:
      return curl_easy_strerror(static_cast<CURLcode>(code));
  }
}

/// With TLS 1.3 a node refuses the client's certificate, or the lack of one, after the handshake.
bool is_alert(int code, std::string_view detail) noexcept {
  return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
         detail.find("SSL routines") != detail.npos && detail.find(" alert ") != detail.npos;
}

}  // namespace

TransferError transfer_error(int code, bool head_complete, const char* detail) {
  Kind kind = kind_of(code, head_complete);
  if (!head_complete && detail != nullptr && is_alert(code, detail)) kind = Kind::tls;
  if (kind == Kind::tls) {
    const bool said = detail != nullptr && *detail != '\0';
    return {kind, tls_reason(said ? detail : text_of(code))};
  }
  const bool detailed = detail != nullptr && *detail != '\0' && kind != Kind::protocol;
  return {kind, detailed ? detail : text_of(code)};
}

}  // namespace llmroute::net

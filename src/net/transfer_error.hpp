/// Why a transfer brought no whole response.
#pragma once

#include <string>

namespace llmroute::net {

struct TransferError {
  enum class Kind {
    connect,            ///< refused, unreachable, proxy
    dns,                ///< no address for the name
    tls,                ///< handshake or certificate; nothing was sent
    timeout_connect,    ///< the connect clock
    reset_before_head,  ///< closed or reset before the response head was whole
    cut,                ///< closed or reset within the body
    protocol,           ///< not HTTP as it should be
    too_large,          ///< body beyond the endpoint's max_body
    internal,           ///< ours: out of memory, a header that cannot be sent
  };
  Kind kind = Kind::internal;
  std::string text{};  ///< for people; never holds a header's value or a body
};

/// What libcurl's result `code` (a CURLcode) means. `head_complete`: the response head had come;
/// `detail`: libcurl's own words.
TransferError transfer_error(int code, bool head_complete, const char* detail);

}  // namespace llmroute::net

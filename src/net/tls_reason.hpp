/// What a failure of TLS means for whoever runs the node: in words, with the setting that helps.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::net {

/// `said`: libcurl's and OpenSSL's own words, which stay at the end, in parentheses.
std::string tls_reason(std::string_view said);

}  // namespace llmroute::net

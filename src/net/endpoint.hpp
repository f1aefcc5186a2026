/// Where requests go and how: everything that is the same for all requests to one path of one node,
/// prepared once.
#pragma once

#include <chrono>
#include <cstddef>
#include <llmroute/core/node_config.hpp>
#include <llmroute/core/time.hpp>
#include <llmroute/headers.hpp>
#include <llmroute/http_method.hpp>
#include <memory>
#include <string>

namespace llmroute::net {

struct EndpointOptions {
  std::string url{};  ///< http:// or https://, whole
  HttpMethod method = HttpMethod::post;
  Headers headers{};  ///< sent with every request; a body is JSON unless they say otherwise
  TlsConfig tls{};
  std::string proxy{};  ///< empty: none, whatever the environment says; "env": what it says
  HttpVersion http_version = HttpVersion::automatic;
  Duration connect_timeout =
      std::chrono::seconds(5);  ///< name, connection and TLS; zero is libcurl's 300 s
  Duration max_connection_age = std::chrono::minutes(5);  ///< zero is unlimited
  Duration address_age = std::chrono::seconds(10);        ///< then the name is looked up for a new
                                                    ///< connection; at once after one that failed
  bool fresh_connection = false;  ///< a kept one may be lost with the request on it, which libcurl
                                  ///< then sends again: not for what may not be sent twice
  std::size_t max_body = std::size_t{256} << 20;  ///< of a response read whole
};

/// Immutable and cheap to copy; any thread. Transfers keep what they need of it alive.
class Endpoint {
 public:
  /// Throws std::invalid_argument, naming the field, when a header holds a line break or a NUL.
  explicit Endpoint(EndpointOptions options);

  const EndpointOptions& options() const noexcept;

 private:
  friend class CurlMulti;
  friend class EasyHandle;
  struct Prepared;
  std::shared_ptr<const Prepared> prepared_;
};

}  // namespace llmroute::net

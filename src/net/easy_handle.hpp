/// A libcurl easy handle with everything set that stays the same for an endpoint, so that the next
/// request there only brings its body.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <span>
#include <string_view>

#include "net/endpoint.hpp"
#include "net/endpoint_prepared.hpp"
#include "net/http_transfer.hpp"
#include "net/link.hpp"
#include "net/share.hpp"
#include "net/timer.hpp"

namespace llmroute::net {

class CurlMulti;

class EasyHandle : public Link {
 public:
  using Prepared = std::shared_ptr<const Endpoint::Prepared>;

  /// Throws std::bad_alloc.
  EasyHandle(CurlMulti& multi, Prepared endpoint, HttpTransfer::Mode mode);
  ~EasyHandle();

  /// Gets it ready for a request. Returns the name of a header that cannot be sent, or null.
  const char* prepare(HttpTransfer& transfer, std::string_view body, std::span<const Header> extra);

  bool fits(const Endpoint::Prepared* endpoint, HttpTransfer::Mode mode) const noexcept {
    return endpoint_.get() == endpoint && mode_ == mode;
  }

  /// The endpoint is gone, so that no request will come for this any more.
  bool orphaned() const noexcept { return endpoint_.use_count() == 1; }

  /// There is no connection yet that its request could go out on.
  bool connecting() const noexcept { return connecting_; }

  /// A request that was to go out on a kept connection has found none, or one that was closed
  /// before a byte of an answer came; libcurl would have sent it on a new one. It failed for that.
  bool refused_to_connect() const noexcept { return refused_to_connect_; }

  /// From now on it may connect, and has the connect clock: before the request begins again.
  void prepare_to_connect() noexcept;

  /// The transfer is over with this CURLcode.
  void note_result(int code) noexcept;

  /// It got a connection that was kept, and that one was closed.
  bool lost_kept_connection(int code) const noexcept;

  /// Once the transfer is stopped nobody uses its connection again; one that is over has given its
  /// own back. With HTTP/2 libcurl would keep it: 7.88 then sends the RST_STREAM with the next
  /// request only, and the node generates until then.
  void close_connection() noexcept;

  /// From now on what comes is dropped.
  void disown() noexcept { owner_ = nullptr; }
  HttpTransfer* owner() const noexcept { return owner_; }

  CurlMulti& multi() const noexcept { return multi_; }
  CURL* get() const noexcept { return easy_; }
  const char* detail() const noexcept { return detail_; }

  /// Bytes of the body sent so far.
  std::size_t uploaded() const noexcept;

  /// The connection's descriptor while the transfer runs; else -1.
  int socket() const noexcept;

  Timer grace{};  ///< how long a disowned transfer may go on

 private:
  void set_common();
  void set_endpoint();
  void set_method(HttpMethod method);
  void set_trust();

  /// libcurl keeps a connect clock among its timers when the connection has long been there, and
  /// moves it at each event of the transfer: a tenth of what a chunk costs. So it stands only where
  /// there is something to connect. Without it the handle neither looks a name up nor opens a
  /// socket.
  void set_connect_clock(bool on) noexcept;
  bool may_connect() noexcept;
  bool on_kept_connection() const noexcept;

  static int on_look_up(void*, void*, void* self) noexcept;
  static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self);
  static int on_request(void* self, char*, char*, int, int) noexcept;

  static constexpr std::size_t dropped_at_most = std::size_t{64} << 10;

  CurlMulti& multi_;
  Prepared endpoint_;
  HttpTransfer::Mode mode_;
  std::shared_ptr<Share> share_;
  CURL* easy_;
  HttpTransfer* owner_ = nullptr;
  std::size_t dropped_ = 0;
  bool has_extra_ = false;
  bool connecting_ = false;
  bool over_ = false;
  bool closes_ = false;
  bool used_kept_ = false;  // the last request went well on a kept connection: the next may, too
  bool connect_clock_ = false;
  bool refused_to_connect_ = false;
  HeaderList extra_;
  char detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace llmroute::net

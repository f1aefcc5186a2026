/// libcurl's multi handle with what a loop keeps beside it: which sockets to watch, when libcurl
/// wants to be called, handles ready for the next request. The only place that adds and removes
/// transfers.
#pragma once

#include <curl/curl.h>

#include <llmroute/core/time.hpp>
#include <llmroute/net/reactor.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "net/easy_handle.hpp"
#include "net/http_transfer.hpp"
#include "net/link.hpp"
#include "net/share.hpp"
#include "net/socket_table.hpp"

namespace llmroute::net {

class CurlMulti {
 public:
  CurlMulti(Loop& loop, Reactor& reactor);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  /// In a forked child: closes the sockets' descriptors and leaves the rest as it is, for libcurl
  /// would speak on connections that are the parent's.
  static void abandon(std::unique_ptr<CurlMulti> multi) noexcept;

  /// In a forked child, where a thread of the parent's still has this: the descriptors alone.
  void close_connections() noexcept;

  // For the loop.
  Time due() const noexcept { return due_; }
  void run_due();
  void on_ready(int fd, bool readable, bool writable, bool failed);
  void collect_finished();
  void flush() { sockets_.flush(); }

  // For HttpTransfer; not from inside a libcurl callback.
  EasyHandle* start(HttpTransfer& transfer, const Endpoint& endpoint, HttpTransfer::Mode mode,
                    std::string_view body, std::span<const Header> extra);
  void stop(EasyHandle* handle) noexcept;

  /// Lets a transfer go on without its owner until its body ends, or `linger_limit` is over.
  void linger(EasyHandle* handle) noexcept;
  static constexpr Duration linger_limit = std::chrono::seconds(1);

  // For EasyHandle.
  void response_begins() {
    if (acting_on_ >= 0) sockets_.established(acting_on_);
  }
  const std::shared_ptr<Share>& share() const noexcept { return share_; }
  curl_socket_t open_socket(const curl_sockaddr& address) noexcept;
  static int on_close_socket(void* self, curl_socket_t fd) noexcept;

 private:
  static constexpr std::size_t most_idle = 128;     // handles, some 6 KB each
  static constexpr long most_connections = 1024;    // kept open by one loop
  static constexpr int looked_at_before_start = 4;  // lingering transfers

  static int on_interest(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int on_due(CURLM*, long wait_ms, void* self) noexcept;
  static void on_grace_over(void* handle);

  bool replay(EasyHandle& handle, int code) noexcept;
  std::unique_ptr<EasyHandle> take_idle(const Endpoint& endpoint, HttpTransfer::Mode mode);
  void keep_idle(std::unique_ptr<EasyHandle> handle) noexcept;
  void finish_lingering();
  void go_on_connecting();
  void open();
  void act(curl_socket_t fd, int what);
  void give_up() noexcept;

  Loop& loop_;
  std::shared_ptr<Share> share_;
  SocketTable sockets_;
  CURLM* multi_ = nullptr;  // null: given up, until the next start
  Time due_ = never;
  int acting_on_ = -1;                             // the socket whose readiness libcurl works on
  std::vector<std::unique_ptr<EasyHandle>> idle_;  // the warmest last
  Link running_;                                   // with an owner
  Link lingering_;
  std::vector<EasyHandle*> between_sockets_;  // lost one before there was a connection
};

}  // namespace llmroute::net

/// One address that a server listens on: takes callers from it, and turns one away when the process
/// is out of descriptors.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <llmroute/result.hpp>
#include <memory>
#include <string>

namespace http {

class ConnectionCaps;
class Server;
class TlsContext;

/// Not thread safe: everything on the io_context's thread. The server must outlive it.
class Listener {
 public:
  /// `tag`: what Request::listener() says of requests that came this way. `tls` null: none. `caps`
  /// are its callers'.
  Listener(Server& server, boost::asio::io_context& context, int tag,
           std::shared_ptr<const TlsContext> tls, ConnectionCaps& caps);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Port 0 takes one that is free. The port, or an invalid_argument error that names host and
  /// port.
  llmroute::Result<std::uint16_t> open(const std::string& host, std::uint16_t port);

  /// Waits for callers, unless it does. May throw std::bad_alloc.
  void resume();

  void close() noexcept;

  int tag() const noexcept { return tag_; }
  const TlsContext* tls() const noexcept { return tls_.get(); }
  ConnectionCaps& caps() const noexcept { return caps_; }

 private:
  void wait();
  void on_acceptable();
  bool accept_one();
  void shed_one();
  void pause();

  Server& server_;
  boost::asio::io_context& context_;
  const int tag_;
  const std::shared_ptr<const TlsContext> tls_;
  ConnectionCaps& caps_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  bool waiting_ = false;  // for callers, or for the time to look again
};

}  // namespace http

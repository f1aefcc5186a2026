/// The sockets below a scripted upstream: a listener, and a connection that reads requests and
/// writes whatever it is told, with or without TLS.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/gate.hpp"

typedef struct ssl_st SSL;

namespace llmroute::test {

class TlsIdentity;
struct SeenRequest;
class Connection;

/// Listens on a free port of 127.0.0.1, or elsewhere on 127.0.0.0/24.
class Listener {
 public:
  explicit Listener(int backlog = 1024, int host = 1, int port = 0);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const noexcept { return port_; }

  /// Listens again on the same port, which stayed taken since close().
  void listen_again();

  /// The next connection's descriptor; none once `stop` is open.
  std::optional<int> accept(const Gate& stop) const;
  void close() noexcept;

  /// A client's descriptor on its way to this listener, which need not accept it.
  std::unique_ptr<Connection> connect_without_waiting() const;

 private:
  int fd_ = -1;
  int port_ = 0;
  int host_;
  int backlog_;
  int holder_;  // bound and never listening: nobody else gets the port
};

/// Owns the descriptor. One thread at a time.
class Connection {
 public:
  /// With `tls` the handshake comes first.
  Connection(int fd, const TlsIdentity* tls);
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// It could be set up.
  bool good() const noexcept { return good_; }

  /// None: the peer closed.
  std::optional<SeenRequest> read_request();

  /// False: the peer is gone. `sent` counts along.
  bool send(std::string_view bytes, std::atomic<std::size_t>& sent);

  /// Waits until `gate` is readable (never, if -1) or the time is over (never, if -1). False: the
  /// peer is gone, or `stop` is readable.
  bool wait(int gate, int stop, int milliseconds = -1) const;

  /// close() will send an RST.
  void reset_at_close() noexcept;
  void close() noexcept;

 private:
  void hear_out();
  bool fill();

  int fd_;
  SSL* ssl_ = nullptr;
  bool good_ = true;
  std::string in_;
};

}  // namespace llmroute::test

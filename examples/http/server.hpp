/// Accepts connections on one io_context and watches over their deadlines. A program with several
/// threads has one server a thread, all listening on the same port (SO_REUSEPORT).
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <llmroute/core/time.hpp>
#include <llmroute/result.hpp>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "address_set.hpp"
#include "body_reader.hpp"
#include "caps.hpp"
#include "gather.hpp"
#include "handler.hpp"
#include "head_parser.hpp"
#include "listener.hpp"

namespace http {

struct ServerOptions {
  HeadLimits head{};
  BodyLimits body{};
  llmroute::Duration header_timeout = std::chrono::seconds(10);  ///< for a whole head
  llmroute::Duration read_timeout =
      std::chrono::seconds(30);  ///< of a body, less what it comes faster than 1 KiB a second
  llmroute::Duration write_timeout = std::chrono::seconds(300);  ///< without any progress
  llmroute::Duration idle_timeout = std::chrono::seconds(120);   ///< between requests
  AddressSet trusted_proxies{};  ///< whose X-Forwarded-For says where a request comes from
};

/// Not thread safe: everything on the io_context's thread. `handler` and `caps` must outlive it; so
/// must the server the io_context's run().
class Server {
 public:
  Server(boost::asio::io_context& context, Handler& handler, const ServerOptions& options,
         ConnectionCaps& caps);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens, on as many addresses as it is called for; port 0 takes one that is free.
  /// `listener`: what Request::listener() says of requests that come this way; with `tls` they come
  /// encrypted. With `caps` they count there, apart from all others, and may have the descriptors
  /// that are kept from those. The port, or an invalid_argument error that names host and port.
  llmroute::Result<std::uint16_t> listen(const std::string& host, std::uint16_t port,
                                         int listener = 0,
                                         std::shared_ptr<const TlsContext> tls = nullptr,
                                         ConnectionCaps* caps = nullptr);

  /// Goes on where a handler that ran out of memory left off: before every run() of the io_context
  /// once it listens. May throw std::bad_alloc.
  void resume();

  /// Takes no more connections, closes those that are idle, ends each other one after the answer
  /// under way. `when_empty` is called once none is left, perhaps at once.
  void drain(std::function<void()> when_empty);

  /// Ends all connections as if their callers had gone.
  void abort();

  bool draining() const noexcept { return draining_; }
  std::size_t connections() const noexcept { return connections_.size(); }

  /// For the loop whose turns bring pieces of answers.
  Gather& gather() noexcept { return gather_; }

  // For connections.
  Handler& handler() noexcept { return handler_; }
  const ServerOptions& options() const noexcept { return options_; }
  std::span<char> input() noexcept { return input_; }
  llmroute::Time in(llmroute::Duration wait) const noexcept;
  void closed(Connection& connection) noexcept;

  // For listeners.
  void accepted(boost::asio::ip::tcp::socket socket, const Listener& listener);
  void give_up_reserve() noexcept;
  void take_reserve() noexcept;

 private:
  void stop_listening() noexcept;
  void sweep_later();
  void sweep();
  void tell_if_empty() noexcept;
  std::vector<std::shared_ptr<Connection>> all() const;

  boost::asio::io_context& context_;
  Handler& handler_;
  ServerOptions options_;
  ConnectionCaps& caps_;
  Gather gather_{};
  std::vector<std::unique_ptr<Listener>> listeners_;
  boost::asio::steady_timer sweeper_;
  llmroute::Duration tick_;
  llmroute::Time
      now_;  // of the last sweep: exact enough for deadlines, and no clock is read a request
  const int last_descriptor_;  // for callers; what is beyond it is for what they ask for
  int reserve_;  // a descriptor to give up when there is none left, so that a caller can be turned
                 // away
  bool sweeping_ = false;
  bool draining_ = false;
  std::function<void()> when_empty_{};
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::array<char, 64 * 1024> input_{};
};

}  // namespace http

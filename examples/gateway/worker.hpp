/// One thread of the gateway: an io_context, on it the connections of callers and the calls to
/// nodes, which never leave it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <http/asio_reactor.hpp>
#include <http/server.hpp>
#include <http/tls.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/net/event_loop.hpp>
#include <memory>

#include "access.hpp"
#include "front.hpp"
#include "key_ring.hpp"
#include "late_heads.hpp"

namespace gateway {

class Gateway;

/// Construct, listen(), then run() on the worker's thread. drain() and abort() may be called from
/// any thread.
class Worker {
 public:
  Worker(Gateway& gateway, http::ConnectionCaps& caps);

  /// `tls` null: plain HTTP. Several calls, several addresses. `caps` null: the worker's.
  llmroute::Result<std::uint16_t> listen(const std::string& host, std::uint16_t port,
                                         std::shared_ptr<const http::TlsContext> tls = nullptr,
                                         Door door = Door::usual,
                                         http::ConnectionCaps* caps = nullptr);

  /// Serves until drained or aborted.
  void run();

  /// Ends run() when every connection has ended by itself.
  void drain();

  /// Ends run() as soon as every call has been cancelled.
  void abort();

  // For the requests on it.
  Gateway& gateway() noexcept { return gateway_; }
  llmroute::EventLoop& loop() noexcept { return loop_; }
  LateHeads& late_heads() noexcept { return late_heads_; }
  llmroute::Rng& rng() noexcept { return rng_; }
  const KeyTable& keys() { return keys_.get(); }
  const Defaults& defaults() { return defaults_.get(); }

  /// Runs `step` on the worker's thread. Any thread.
  template <class F>
  void post(F&& step) {
    boost::asio::post(context_, std::forward<F>(step));
  }

  void inference_began() noexcept { ++inferences_; }
  void inference_ended();

 private:
  void begin_drain();
  void stop_when_idle();

  Gateway& gateway_;
  boost::asio::io_context context_;
  http::AsioReactor reactor_;
  llmroute::EventLoop loop_;
  LateHeads late_heads_;
  llmroute::Rng rng_;
  KeyRing::Reader keys_;
  Published<Defaults>::Reader defaults_;
  Front front_;
  http::Server server_;
  std::size_t inferences_ = 0;
  bool draining_ = false;
  bool ending_ = false;
};

}  // namespace gateway

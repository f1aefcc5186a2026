/// One thread of the gateway: an io_context, on it the connections of callers and the calls to
/// nodes, which never leave it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <http/asio_reactor.hpp>
#include <http/server.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/net/event_loop.hpp>

#include "front.hpp"
#include "late_heads.hpp"

namespace gateway {

class Gateway;

/// Construct, listen(), then run() on the worker's thread. drain() and abort() may be called from
/// any thread.
class Worker {
 public:
  Worker(Gateway& gateway, http::ConnectionCaps& caps);

  llmroute::Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);

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
  Front front_;
  http::Server server_;
  std::size_t inferences_ = 0;
  bool draining_ = false;
  bool ending_ = false;
};

}  // namespace gateway

/// Begins and ends a worker.
#include "worker.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <new>
#include <random>
#include <thread>

#include "gateway.hpp"

namespace gateway {
namespace {

/// What Options has been checked for is no error any more.
http::ServerOptions server_options(const ServerOptions& options) {
  http::ServerOptions out;
  out.trusted_proxies = *http::AddressSet::of(options.trusted_proxies);
  out.body.body = options.max_body;
  out.header_timeout = options.header_timeout;
  out.read_timeout = options.read_timeout;
  out.write_timeout = options.write_timeout;
  out.idle_timeout = options.idle_timeout;
  return out;
}

std::uint64_t seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Worker::Worker(Gateway& gateway, http::ConnectionCaps& caps)
    : gateway_(gateway),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      reactor_(context_),
      loop_(reactor_),
      late_heads_(context_),
      rng_(seed()),
      keys_(gateway.key_ring()),
      defaults_(gateway.defaults()),
      front_(*this),
      server_(context_, front_, server_options(gateway.options().server), caps) {
  reactor_.attach(loop_, server_.gather());
}

llmroute::Result<std::uint16_t> Worker::listen(const std::string& host, std::uint16_t port,
                                               std::shared_ptr<const http::TlsContext> tls,
                                               Door door, http::ConnectionCaps* caps) {
  return server_.listen(host, port, static_cast<int>(door), std::move(tls), caps);
}

/// Connections to nodes are kept open and watched, so the context would never run out of work: it
/// is stopped. What finds no memory in one handler is that one's loss; others go on.
void Worker::run() {
  for (;;) {
    try {
      reactor_.resume();
      server_.resume();
      if (draining_) begin_drain();
      context_.run();
      return;
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // others may give some back
    }
  }
}

void Worker::drain() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    begin_drain();
  });
}

void Worker::begin_drain() {
  server_.drain([this] {
    ending_ = true;
    stop_when_idle();
  });
}

void Worker::abort() {
  boost::asio::post(context_, [this] {
    ending_ = true;
    server_.abort();
    stop_when_idle();
  });
}

void Worker::inference_ended() {
  --inferences_;
  stop_when_idle();
}

void Worker::stop_when_idle() {
  if (ending_ && inferences_ == 0) context_.stop();
}

}  // namespace gateway

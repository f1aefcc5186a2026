/// Threads and signals.
#include "serve.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gateway.hpp"
#include "worker.hpp"

namespace gateway {
namespace {

int fail(std::string_view message) {
  fmt::print(stderr, "llmroute-gateway: {}\n", message);
  return EXIT_FAILURE;
}

/// A connection is a descriptor, and a call one more: take as many as the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// The workers and the wait for their end, on the main thread.
class Service {
 public:
  explicit Service(Gateway& gateway)
      : gateway_(gateway),
        caps_(gateway.options().server.max_connections,
              gateway.options().server.max_connections_per_address),
        signals_(main_, SIGTERM, SIGINT),
        patience_(main_) {}

  llmroute::Result<std::uint16_t> listen() {
    const ServerOptions& server = gateway_.options().server;
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t count = server.workers > 0 ? static_cast<std::size_t>(server.workers) : cores;
    std::uint16_t port = server.port;
    for (std::size_t i = 0; i < count; ++i) {
      workers_.push_back(std::make_unique<Worker>(gateway_, caps_));
      const auto listening = workers_.back()->listen(server.host, port);
      if (!listening) return listening.error();
      port = *listening;
    }
    return port;
  }

  void run() {
    gateway_.router().maintain(workers_.front()->loop());  // probes begin before the first call
    gateway_.log().gather();
    running_ = workers_.size();
    std::vector<std::thread> threads;
    for (const auto& worker : workers_) {
      threads.emplace_back([this, one = worker.get()] {
        one->run();
        boost::asio::post(main_, [this] {
          if (--running_ == 0) main_.stop();
        });
      });
    }
    await_signal();
    main_.run();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (!error) on_signal(number);
    });
  }

  void on_signal(int number) {
    if (gateway_.draining()) {  // asked twice: at once, whatever is under way
      gateway_.log().flush();
      std::_Exit(128 + number);
    }
    gateway_.log().line(LogLevel::info, "draining").add("signal", number).now();
    gateway_.drain();
    for (const auto& worker : workers_) worker->drain();
    patience_.expires_after(gateway_.options().server.drain_timeout);
    patience_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      gateway_.log().line(LogLevel::warn, "drain_timeout");
      for (const auto& worker : workers_) worker->abort();
    });
    await_signal();
  }

  Gateway& gateway_;
  boost::asio::io_context main_{1};
  http::ConnectionCaps caps_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer patience_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t running_ = 0;
};

void announce(const Gateway& gateway, std::uint16_t port) {
  const Options& options = gateway.options();
  gateway.log()
      .line(LogLevel::info, "listening")
      .add("host", options.server.host)
      .add("port", port)
      .add("configuration", options.source.empty() ? "environment" : options.source)
      .add("nodes", options.router.nodes.size())
      .add("strategy", options.router.router.strategy);
  if (!is_loopback(options.server.host) && !gateway.auth().required()) {
    gateway.log()
        .line(LogLevel::warn, "open")
        .add("reason", "anyone who reaches this host may use the gateway: set auth.auth_token");
  }
  const bool v6 = options.server.host.find(':') != std::string::npos;
  const std::string host = v6 ? fmt::format("[{}]", options.server.host) : options.server.host;
  fmt::print("listening on http://{}:{}\n", host, port);
  std::fflush(stdout);
}

}  // namespace

int serve(Options options) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  auto gateway = Gateway::create(std::move(options));
  if (!gateway) return fail(gateway.error().message);
  Service service(**gateway);
  const auto port = service.listen();
  if (!port) return fail(port.error().message);
  announce(**gateway, *port);
  service.run();
  (*gateway)->log().line(LogLevel::info, "ended");
  gateway->reset();  // the router probes on a worker's loop: it goes first
  return EXIT_SUCCESS;
}

}  // namespace gateway

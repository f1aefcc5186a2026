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

#include "address.hpp"
#include "gateway.hpp"
#include "named_files.hpp"
#include "reloader.hpp"
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

/// Connections to the listener for the admin API, in all and from one address.
constexpr std::size_t most_admins = 64;
constexpr std::size_t most_admins_per_address = 32;

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// The workers and the wait for their end, on the main thread.
class Service {
 public:
  explicit Service(Gateway& gateway)
      : gateway_(gateway),
        caps_(gateway.options().server.max_connections,
              gateway.options().server.max_connections_per_address,
              gateway.options().server.max_body_in_flight),
        admin_caps_(most_admins, most_admins_per_address,
                    gateway.options().server.max_body_in_flight),
        signals_(main_, SIGTERM, SIGINT),
        hangup_(main_, SIGHUP),
        patience_(main_) {}

  llmroute::Result<std::uint16_t> listen() {
    const ServerOptions& server = gateway_.options().server;
    auto tls = load_tls(server.tls);
    if (!tls) return std::move(tls.error());
    tls_ = std::move(*tls);
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t count = server.workers > 0 ? static_cast<std::size_t>(server.workers) : cores;
    std::uint16_t port = server.port;
    for (std::size_t i = 0; i < count; ++i) {
      workers_.push_back(std::make_unique<Worker>(gateway_, caps_));
      const auto listening = workers_.back()->listen(server.host, port, tls_);
      if (!listening) return listening.error();
      port = *listening;
    }
    return port;
  }

  /// The separate listener for the admin API, on the first worker. However many callers there are,
  /// it lets the operator in.
  llmroute::Result<std::uint16_t> listen_for_admin(const Address& address) {
    return workers_.front()->listen(address.host, address.port, tls_, Door::admin, &admin_caps_);
  }

  void run(Reloader& reloader) {
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
    await_hangup(reloader);
    main_.run();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (!error) on_signal(number);
    });
  }

  void await_hangup(Reloader& reloader) {
    hangup_.async_wait([this, &reloader](const boost::system::error_code& error, int) {
      if (error) return;
      reloader.reload();
      await_hangup(reloader);
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
  http::ConnectionCaps admin_caps_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set hangup_;
  boost::asio::steady_timer patience_;
  std::shared_ptr<http::TlsContext> tls_{};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t running_ = 0;
};

/// For whoever started it.
void print_address(std::string_view what, const Options& options, const std::string& host,
                   std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  const char* scheme = options.server.tls.cert_file.empty() ? "http" : "https";
  fmt::print("{} on {}://{}:{}\n", what, scheme, v6 ? fmt::format("[{}]", host) : host, port);
  std::fflush(stdout);
}

void announce(const Gateway& gateway, std::uint16_t port) {
  const Options& options = gateway.options();
  gateway.log()
      .line(LogLevel::info, "listening")
      .add("host", options.server.host)
      .add("port", port)
      .add("configuration", options.source.empty() ? "environment" : options.source)
      .add("form", options.form)
      .add("nodes", options.router.nodes.size())
      .add("strategy", options.router.router.strategy);
  if (!is_loopback(options.server.host) && !gateway.auth().required()) {
    gateway.log()
        .line(LogLevel::warn, "open")
        .add("reason", "anyone who reaches this host may use the gateway: set auth.auth_token");
  }
  if (!options.store.redis_url.empty()) {
    gateway.log()
        .line(LogLevel::warn, "redis_not_used")
        .add("reason", "limits are kept in this process: other gateways do not share them");
  }
  print_address("listening", options, options.server.host, port);
}

/// Opens the admin listener, where one is asked for.
llmroute::Result<void> open_admin(const Gateway& gateway, Service& service) {
  const std::string& text = gateway.options().server.admin_listen;
  if (text.empty()) return {};
  const auto address = read_address(text);
  if (!address) return address.error();
  const auto port = service.listen_for_admin(*address);
  if (!port) return port.error();
  gateway.log().line(LogLevel::info, "listening").add("for", "admin").add("port", *port);
  print_address("admin", gateway.options(), address->host, *port);
  return {};
}

}  // namespace

int serve(Options options, const Flags& flags, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is an error of the write, no end of routing
  raise_descriptor_limit();
  auto gateway = Gateway::create(std::move(options));
  if (!gateway) return fail(gateway.error().message);
  Service service(**gateway);
  const auto port = service.listen();
  if (!port) return fail(port.error().message);
  announce(**gateway, *port);
  if (auto opened = open_admin(**gateway, service); !opened) return fail(opened.error().message);
  {
    Reloader reloader(**gateway, flags, environment);
    service.run(reloader);
  }
  (*gateway)->log().line(LogLevel::info, "ended");
  gateway->reset();  // the router probes on a worker's loop: it goes first
  return EXIT_SUCCESS;
}

}  // namespace gateway

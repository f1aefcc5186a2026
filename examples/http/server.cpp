/// Counting and sweeping.
#include "server.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <limits>
#include <new>
#include <vector>

#include "connection.hpp"

namespace http {
namespace {

using boost::system::error_code;

/// A caller that comes to an address of IPv6 by IPv4 is known by its own.
std::string text_of(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string()
                : address.to_string();
}

/// The kernel gives the lowest descriptor that is free, so a high one says how few are left. The
/// last ones are kept: a caller that is served needs one more for its node.
int last_for_callers() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<int>::max();
  const auto all = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 30));
  return all - std::clamp(all / 8, 2, 64);
}

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

/// Deadlines are looked at so often that none is missed by more than a quarter of its time.
llmroute::Duration tick_of(const ServerOptions& options) {
  using namespace std::chrono_literals;
  const llmroute::Duration shortest = std::min(
      {options.header_timeout, options.read_timeout, options.write_timeout, options.idle_timeout});
  return std::clamp<llmroute::Duration>(shortest / 4, 5ms, 1s);
}

}  // namespace

Server::Server(boost::asio::io_context& context, Handler& handler, const ServerOptions& options,
               ConnectionCaps& caps)
    : context_(context),
      handler_(handler),
      options_(options),
      caps_(caps),
      sweeper_(context),
      tick_(tick_of(options)),
      now_(llmroute::Clock::now()),
      last_descriptor_(last_for_callers()),
      reserve_(open_reserve()) {}

Server::~Server() {
  abort();
  give_up_reserve();
}

llmroute::Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port,
                                               int listener, std::shared_ptr<const TlsContext> tls,
                                               ConnectionCaps* caps) {
  auto made = std::make_unique<Listener>(*this, context_, listener, std::move(tls),
                                         caps == nullptr ? caps_ : *caps);
  auto bound = made->open(host, port);
  if (!bound) return bound;
  listeners_.push_back(std::move(made));
  resume();
  return bound;
}

void Server::resume() {
  for (const auto& listener : listeners_) listener->resume();
  if (!sweeping_) sweep_later();
}

void Server::stop_listening() noexcept {
  for (const auto& listener : listeners_) listener->close();
}

void Server::accepted(boost::asio::ip::tcp::socket socket, const Listener& listener) {
  const bool apart = &listener.caps() != &caps_;
  if (socket.native_handle() > last_descriptor_ && !apart) return;  // closes it: one too many
  error_code error;
  std::string address = text_of(socket.remote_endpoint(error).address());
  if (error) return;  // closes it
  const auto connection =
      std::make_shared<Connection>(*this, std::move(socket), std::move(address), listener);
  connections_.emplace(connection.get(), connection);
  if (!listener.caps().enter(connection->counted_as())) {
    connections_.erase(connection.get());
    return;
  }
  connection->begin();
}

void Server::give_up_reserve() noexcept {
  if (reserve_ >= 0) ::close(reserve_);
  reserve_ = -1;
}

void Server::take_reserve() noexcept { reserve_ = open_reserve(); }

llmroute::Time Server::in(llmroute::Duration wait) const noexcept {
  return wait <= llmroute::Duration{} ? llmroute::never : llmroute::after(now_ + tick_, wait);
}

void Server::sweep_later() {
  sweeper_.expires_after(tick_);
  sweeper_.async_wait([this](const error_code& error) {
    if (error) return;
    sweeping_ = false;
    sweep();
    sweep_later();
  });
  sweeping_ = true;
}

void Server::sweep() {
  now_ = llmroute::Clock::now();
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& [key, connection] : connections_) {
    if (connection->deadline() <= now_) late.push_back(connection);
  }
  for (const auto& connection : late) connection->on_deadline();
  tell_if_empty();
}

std::vector<std::shared_ptr<Connection>> Server::all() const {
  std::vector<std::shared_ptr<Connection>> copies;
  copies.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) copies.push_back(connection);
  return copies;
}

void Server::drain(std::function<void()> when_empty) {
  draining_ = true;
  stop_listening();
  for (const auto& connection : all()) connection->drain();
  if (connections_.empty()) return when_empty();
  when_empty_ = std::move(when_empty);
}

void Server::abort() {
  stop_listening();
  for (const auto& connection : all()) connection->lose();
}

void Server::closed(Connection& connection) noexcept {
  connection.caps().leave(connection.counted_as());
  connections_.erase(&connection);
  tell_if_empty();
}

/// Without memory the next sweep tells.
void Server::tell_if_empty() noexcept {
  if (!connections_.empty() || !when_empty_) return;
  try {
    boost::asio::post(context_, [this] {
      if (when_empty_) std::exchange(when_empty_, nullptr)();
    });
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace http

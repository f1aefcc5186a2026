/// Accepting, counting, sweeping.
#include "server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <limits>
#include <new>
#include <vector>

#include "connection.hpp"

namespace http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using llmroute::Error;
using llmroute::ErrorCode;

constexpr int accepts_a_turn = 16;  // then others on the io_context have their turn
constexpr std::chrono::milliseconds retry_after{50};

/// A descriptor that nobody has taken over yet.
class Accepted {
 public:
  explicit Accepted(int fd) noexcept : fd_(fd) {}
  ~Accepted() {
    if (fd_ >= 0) ::close(fd_);
  }
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;

  int get() const noexcept { return fd_; }
  void release() noexcept { fd_ = -1; }

 private:
  int fd_;
};

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

bool ConnectionCaps::enter(const std::string& address) noexcept {
  if (now_.fetch_add(1, std::memory_order_relaxed) >= all_) {
    now_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  if (per_address_ == 0) return true;
  if (enter_address(address)) return true;
  now_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

/// Without memory to count it a connection is one too many.
bool ConnectionCaps::enter_address(const std::string& address) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    std::size_t& count = by_address_[address];
    return count < per_address_ && ++count > 0;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void ConnectionCaps::leave(const std::string& address) {
  now_.fetch_sub(1, std::memory_order_relaxed);
  if (per_address_ == 0) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(address);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

Server::Server(boost::asio::io_context& context, Handler& handler, const ServerOptions& options,
               ConnectionCaps& caps)
    : context_(context),
      handler_(handler),
      options_(options),
      caps_(caps),
      acceptor_(context),
      retry_(context),
      sweeper_(context),
      tick_(tick_of(options)),
      now_(llmroute::Clock::now()),
      last_descriptor_(last_for_callers()),
      reserve_(open_reserve()) {}

Server::~Server() {
  abort();
  if (reserve_ >= 0) ::close(reserve_);
}

llmroute::Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port) {
  const auto failed = [&](std::string_view step, const error_code& error) {
    return Error{.code = ErrorCode::invalid_argument,
                 .message = fmt::format("cannot {} {}:{}: {}", step, host, port, error.message()),
                 .param = "host"};
  };
  error_code error;
  const auto address =
      boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return failed("listen on", error);
  const tcp::endpoint endpoint(address, port);
  using reuse_port = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.set_option(reuse_port(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error) return failed("listen on", error);
  resume();
  return acceptor_.local_endpoint().port();
}

void Server::resume() {
  if (!accepting_ && acceptor_.is_open()) accept_more();
  if (!sweeping_) sweep_later();
}

void Server::accept_more() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& error) {
    if (error) return;
    accepting_ = false;
    on_acceptable();
  });
  accepting_ = true;
}

void Server::on_acceptable() {
  for (int i = 0; i < accepts_a_turn; ++i) {
    if (accept_one()) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      return shed_one();
    if (errno == EAGAIN) break;  // others, such as ECONNABORTED, are that one connection's
  }
  accept_more();
}

bool Server::accept_one() {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  Accepted accepted(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                              &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.get() < 0) return false;
  if (accepted.get() > last_descriptor_) return true;  // closes it: one too many
  const int on = 1;
  ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  error_code error;
  tcp::socket socket(context_);
  socket.assign(peer.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), accepted.get(), error);
  if (error) return true;
  accepted.release();
  std::string address = socket.remote_endpoint(error).address().to_string();
  if (error) return true;  // closes it
  const auto connection =
      std::make_shared<Connection>(*this, std::move(socket), std::move(address));
  connections_.emplace(connection.get(), connection);
  if (!caps_.enter(connection->address())) return connections_.erase(connection.get()), true;
  connection->begin();
  return true;
}

/// No descriptor is left: the reserve lets one caller in to be turned away, so that the queue moves
/// and the loop does not spin.
void Server::shed_one() {
  if (reserve_ >= 0) ::close(reserve_);
  const int fd = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  reserve_ = open_reserve();
  pause_accepting();
}

void Server::pause_accepting() {
  retry_.expires_after(retry_after);
  retry_.async_wait([this](const error_code& error) {
    if (error || !acceptor_.is_open()) return;
    accepting_ = false;
    on_acceptable();
  });
  accepting_ = true;
}

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
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const auto& connection : all()) connection->drain();
  if (connections_.empty()) return when_empty();
  when_empty_ = std::move(when_empty);
}

void Server::abort() {
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& connection : all()) connection->lose();
}

void Server::closed(Connection& connection) noexcept {
  caps_.leave(connection.address());
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

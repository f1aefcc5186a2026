/// Accepting, and what is done about too many callers.
#include "listener.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <utility>

#include "server.hpp"

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

}  // namespace

Listener::Listener(Server& server, boost::asio::io_context& context, int tag,
                   std::shared_ptr<const TlsContext> tls, ConnectionCaps& caps)
    : server_(server),
      context_(context),
      tag_(tag),
      tls_(std::move(tls)),
      caps_(caps),
      acceptor_(context),
      retry_(context) {}

llmroute::Result<std::uint16_t> Listener::open(const std::string& host, std::uint16_t port) {
  const auto failed = [&](const error_code& error) {
    return Error{.code = ErrorCode::invalid_argument,
                 .message = fmt::format("cannot listen on {}:{}: {}", host, port, error.message()),
                 .param = "host"};
  };
  error_code error;
  const auto address =
      boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return failed(error);
  const tcp::endpoint endpoint(address, port);
  using reuse_port = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.set_option(reuse_port(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error) return failed(error);
  resume();
  return acceptor_.local_endpoint().port();
}

void Listener::resume() {
  if (!waiting_ && acceptor_.is_open()) wait();
}

void Listener::close() noexcept {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
}

void Listener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& error) {
    if (error) return;
    waiting_ = false;
    on_acceptable();
  });
  waiting_ = true;
}

void Listener::on_acceptable() {
  for (int i = 0; i < accepts_a_turn; ++i) {
    if (accept_one()) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      return shed_one();
    if (errno == EAGAIN) break;  // others, such as ECONNABORTED, are that one connection's
  }
  wait();
}

bool Listener::accept_one() {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  Accepted accepted(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                              &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.get() < 0) return false;
  const int on = 1;
  ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  error_code error;
  tcp::socket socket(context_);
  socket.assign(peer.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), accepted.get(), error);
  if (error) return true;
  accepted.release();
  server_.accepted(std::move(socket), *this);
  return true;
}

/// No descriptor is left: the reserve lets one caller in to be turned away, so that the queue moves
/// and the loop does not spin.
void Listener::shed_one() {
  server_.give_up_reserve();
  const int fd = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  server_.take_reserve();
  pause();
}

void Listener::pause() {
  retry_.expires_after(retry_after);
  retry_.async_wait([this](const error_code& error) {
    if (error || !acceptor_.is_open()) return;
    waiting_ = false;
    on_acceptable();
  });
  waiting_ = true;
}

}  // namespace http

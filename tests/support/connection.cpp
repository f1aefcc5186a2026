/// Blocking sockets, and just enough HTTP to read a request.
#include "support/connection.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "support/scripted_upstream.hpp"
#include "support/tls_identity.hpp"

namespace llmroute::test {

namespace {

/// Small, so that a reader that stops is soon felt here.
constexpr int send_buffer = 16 * 1024;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

template <class T>
void set(int fd, int level, int option, T value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

/// 127.0.0.`host`
sockaddr_in loopback(int host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + static_cast<std::uint32_t>(host));
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void parse_head(SeenRequest& request) {
  std::string_view rest = request.head;
  const std::string_view line = rest.substr(0, rest.find("\r\n"));
  request.method = line.substr(0, line.find(' '));
  const std::size_t target = request.method.size() + 1;
  request.target = line.substr(target, line.find(' ', target) - target);
  rest.remove_prefix(line.size() + 2);
  while (!rest.empty()) {
    const std::string_view field = rest.substr(0, rest.find("\r\n"));
    const std::size_t colon = field.find(':');
    if (colon == field.npos) break;
    const std::size_t value = field.find_first_not_of(' ', colon + 1);
    request.headers.add(std::string(field.substr(0, colon)),
                        std::string(value == field.npos ? "" : field.substr(value)));
    rest.remove_prefix(field.size() + 2);
  }
}

std::size_t body_size(const SeenRequest& request) {
  std::size_t size = 0;
  const std::string_view text = request.headers.find("content-length").value_or("0");
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

}  // namespace

namespace {

int bound_socket(int host, int port) {
  const int fd = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  const sockaddr_in address = loopback(host, port);
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return fd;
}

int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

}  // namespace

Listener::Listener(int backlog, int host, int port)
    : host_(host), backlog_(backlog), holder_(bound_socket(host, port)) {
  port_ = port_of(holder_);
  listen_again();
}

Listener::~Listener() {
  close();
  ::close(holder_);
}

void Listener::listen_again() {
  fd_ = bound_socket(host_, port_);
  checked(::listen(fd_, backlog_), "listen");
}

void Listener::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::optional<int> Listener::accept(const Gate& stop) const {
  for (;;) {
    pollfd fds[] = {{fd_, POLLIN, 0}, {stop.fd(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (fds[1].revents != 0) return std::nullopt;
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) return fd;
  }
}

std::unique_ptr<Connection> Listener::connect_without_waiting() const {
  const int fd =
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  const sockaddr_in address = loopback(host_, port_);
  ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return std::make_unique<Connection>(fd, nullptr);
}

Connection::Connection(int fd, const TlsIdentity* tls) : fd_(fd) {
  set(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd_, SOL_SOCKET, SO_SNDBUF, send_buffer);
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls->server_context());
  SSL_set_fd(ssl_, fd_);
  good_ = SSL_accept(ssl_) == 1;
  if (!good_) hear_out();
}

/// A close with bytes unread is an RST, before which the peer may not see the alert.
void Connection::hear_out() {
  char bytes[4096];
  ::shutdown(fd_, SHUT_WR);
  while (::recv(fd_, bytes, sizeof bytes, 0) > 0) {
  }
}

bool Connection::fill() {
  char bytes[16 * 1024];
  const ssize_t got =
      ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  in_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<SeenRequest> Connection::read_request() {
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == in_.npos) {
    if (!fill()) return std::nullopt;
  }
  SeenRequest request;
  request.head = in_.substr(0, end + 4);
  in_.erase(0, end + 4);
  parse_head(request);
  const std::size_t size = body_size(request);
  while (in_.size() < size) {
    if (!fill()) return std::nullopt;
  }
  request.body = in_.substr(0, size);
  in_.erase(0, size);
  return request;
}

bool Connection::send(std::string_view bytes, std::atomic<std::size_t>& sent) {
  while (!bytes.empty()) {
    const ssize_t done = ssl_ != nullptr
                             ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done <= 0) return false;
    sent += static_cast<std::size_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

bool Connection::wait(int gate, int stop, int milliseconds) const {
  for (;;) {
    pollfd fds[] = {{fd_, POLLRDHUP, 0}, {gate, POLLIN, 0}, {stop, POLLIN, 0}};
    if (::poll(fds, 3, milliseconds) == 0) return true;
    if (fds[0].revents != 0) return false;
    if (fds[1].revents != 0) return true;
    if (fds[2].revents != 0) return false;
  }
}

void Connection::reset_at_close() noexcept { set(fd_, SOL_SOCKET, SO_LINGER, linger{1, 0}); }

void Connection::close() noexcept {
  if (ssl_ != nullptr) SSL_free(ssl_);
  ssl_ = nullptr;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  good_ = false;
}

}  // namespace llmroute::test

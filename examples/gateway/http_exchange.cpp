/// Sockets as they are: there is nothing to be quick about.
#include "http_exchange.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// Closes it.
struct Socket {
  explicit Socket(int number) : fd(number) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd); }
  int fd;
};

Error exchange_failed(std::string_view what) {
  return Error{.code = ErrorCode::connect_failed,
               .message = fmt::format("{}: {}", what, std::strerror(errno))};
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Up to the end of the connection.
bool receive_all(int fd, std::string& text) {
  char piece[4096];
  for (;;) {
    const ssize_t got = recv(fd, piece, sizeof(piece), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

Result<Exchange> parse(std::string_view text) {
  Exchange answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == text.npos || !text.starts_with("HTTP/1.1 ")) {
    return Error{.code = ErrorCode::bad_upstream, .message = "the answer is not whole"};
  }
  std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  answer.body = text.substr(end + 4);
  std::string_view head = text.substr(0, end);
  for (std::size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n")) {
    head.remove_prefix(line + 2);
    const std::string_view field = head.substr(0, head.find("\r\n"));
    const std::size_t colon = std::min(field.find(": "), field.size());
    std::string name(field.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    answer.fields[std::move(name)] = field.substr(std::min(colon + 2, field.size()));
  }
  return answer;
}

}  // namespace

std::string_view Exchange::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

Result<Exchange> http_exchange(int port, std::string_view method, std::string_view path,
                               std::string_view fields, std::string_view body) {
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) return exchange_failed("a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return exchange_failed(fmt::format("port {}", port));
  }
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n{}\r\n{}",
      method, path, port, body.size(), fields, body);
  std::string text;
  if (!send_all(socket.fd, request) || !receive_all(socket.fd, text)) {
    return exchange_failed(fmt::format("port {}", port));
  }
  return parse(text);
}

}  // namespace gateway

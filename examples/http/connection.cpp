/// What a connection does with its socket, and the requests in its input. The answers are in
/// answer.cpp.
#include "connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "listener.hpp"
#include "server.hpp"

namespace http {
namespace {

/// Pipelined requests are kept up to this while one is answered; beyond it the socket is left
/// alone.
constexpr std::size_t most_pending = 64 * 1024;

/// A body has read_timeout, and what it uses up of that it gets back by coming faster than this.
constexpr double slowest_body = 1024;  // bytes a second

constexpr std::chrono::seconds linger_time{2};

/// To be passed over by every client of HTTP/1.1.
constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";

/// Parsers that read ahead (simdjson) can use a body as it is when there is room behind it.
constexpr std::size_t parser_room = 64;

}  // namespace

Connection::Connection(Server& server, boost::asio::ip::tcp::socket socket, std::string address,
                       const Listener& listener)
    : server_(server),
      socket_(std::move(socket)),
      address_(std::move(address)),
      caps_(listener.caps()),
      listener_(listener.tag()),
      trusted_(server.options().trusted_proxies.contains(address_)),
      scanner_(server.options().head) {
  if (listener.tls() != nullptr) {
    tls_ = std::make_unique<TlsSession>(*listener.tls(), socket_.native_handle());
  }
}

void Connection::begin() noexcept {
  deadline_ = server_.in(server_.options().header_timeout);
  or_give_up([this] { arm_read(); });
}

void Connection::arm_read() {
  if (reading_ || closed_ || half_closed_) return;
  socket_.async_wait(boost::asio::socket_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->or_give_up([&] { self->on_readable(error); });
                     });
  reading_ = true;
}

void Connection::on_readable(const boost::system::error_code& error) {
  reading_ = false;
  if (closed_ || error == boost::asio::error::operation_aborted) return;
  if (tls_ && !tls_->ready()) return shake_hands();
  const std::span<char> buffer = server_.input();
  const ssize_t got = receive(buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return arm_read();
  if (got == 0 && answering_ && !http_1_0_) return on_half_close();
  if (got <= 0) return caller_gone();
  if (!lingering_) take({buffer.data(), static_cast<std::size_t>(got)});
  if (pending_.size() < most_pending) arm_read();
}

ssize_t Connection::receive(std::span<char> buffer) noexcept {
  if (tls_) return tls_->read(buffer);
  return ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
}

/// The clock is that of the first head. Who speaks plain HTTP is told so in plain HTTP; to who says
/// anything else OpenSSL has sent its alert.
void Connection::shake_hands() {
  switch (tls_->shake_hands()) {
    case TlsSession::Shake::done:
    case TlsSession::Shake::reading:
      return arm_read();
    case TlsSession::Shake::writing: {
      const llmroute::Time deadline = deadline_;
      arm_write();
      deadline_ = deadline;
      return;
    }
    case TlsSession::Shake::plain_http:
      tls_.reset();
      return refuse({400, "this port speaks TLS: use https"});
    case TlsSession::Shake::failed:
      tls_.reset();
      return linger();
  }
}

void Connection::on_half_close() {
  half_closed_ = true;
  await_reset();
  if (!begun_) {
    transmit(interim, {});
  } else if (!ended_ && out_.empty()) {
    const std::string_view padding = exchange_ == nullptr ? "" : exchange_->padding();
    if (padding.empty()) return caller_gone();
    write(padding);
  }
}

/// Not by a wait for input: the end of it would count as such, again and again.
void Connection::await_reset() {
  socket_.async_wait(boost::asio::socket_base::wait_error,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error != boost::asio::error::operation_aborted) self->lose();
                     });
}

/// Uses as much of the input as can be used now. An answer that is given at once leads back here
/// through finish_answer(), which then leaves the rest to this loop: requests in a row are no
/// recursion.
void Connection::take(std::string_view bytes) {
  if (taking_) return;
  taking_ = true;
  std::string joined;
  if (!pending_.empty()) {
    joined.swap(pending_);
    joined.append(bytes);
    bytes = joined;
  }
  while (!bytes.empty() && !answering_ && !closed_ && !lingering_) {
    const std::size_t used = incoming_ ? take_body(bytes) : take_head(bytes);
    if (used == 0) break;
    bytes.remove_prefix(used);
  }
  if (!bytes.empty() && !closed_ && !lingering_) pending_.assign(bytes);
  taking_ = false;
}

std::size_t Connection::take_head(std::string_view bytes) {
  without_body_ = http_1_0_ = false;  // what was said of the request before
  // One blank line before a request is let through: old clients end bodies with it (RFC 9112,
  // section 2.2).
  const std::size_t blank = bytes.starts_with("\r\n") ? 2 : 0;
  if (blank > 0 && bytes.size() == blank) return 0;
  const std::string_view from = bytes.substr(blank);
  const std::size_t length = scanner_.scan(from);
  if (scanner_.fault()) return refuse(scanner_.fault()), 0;
  if (length == 0) {
    if (!std::exchange(head_begun_, true)) deadline_ = server_.in(server_.options().header_timeout);
    return 0;
  }
  scanner_.reset();
  head_begun_ = false;
  Request request;
  request.listener_ = listener_;
  request.peer_ = address_;
  HeadParser parser(server_.options().head);
  if (const Fault fault = parser.read(std::string(from.substr(0, length)), request))
    return refuse(fault, request), 0;
  if (trusted_ && !note_client(request)) {
    return refuse({429, "too many connections from this address"}, request), 0;
  }
  const std::size_t used = begin_request(request, parser.framing(), from.substr(length));
  return blank + length + used;
}

/// Of a request that a proxy has passed on. False: its caller has too many under way.
bool Connection::note_client(Request& request) {
  const auto client = forwarded_client(request, server_.options().trusted_proxies);
  if (!client) return true;
  request.come_from(*client);
  if (!caps_.counts_addresses()) return true;
  auto counted = std::make_unique<std::string>(*client);
  if (!caps_.enter_address(*counted)) return false;
  client_ = std::move(counted);
  return true;
}

void Connection::leave_client() noexcept {
  if (const auto client = std::move(client_)) caps_.leave_address(*client);
}

/// Whether the caps have room for that much more of the request's body.
bool Connection::count_body(std::size_t bytes) noexcept {
  if (!caps_.take(bytes)) return false;
  counted_ += bytes;
  return true;
}

void Connection::uncount_body() noexcept { caps_.give_back(std::exchange(counted_, 0)); }

/// How much of `rest` was its body.
std::size_t Connection::begin_request(Request& request, const BodyFraming& framing,
                                      std::string_view rest) {
  without_body_ = request.method() == "HEAD";
  http_1_0_ = request.http_1_0();
  close_after_ = !request.keep_alive() || server_.draining();
  if (framing.length > server_.options().body.body)
    return refuse({413, "the body is too long"}, request), 0;
  answering_ = true;
  deadline_ = llmroute::never;
  if (std::optional<Response> refusal = server_.handler().on_head(request)) {
    if (framing.any()) close_after_ = unread_ = true;
    return send(std::move(*refusal)), 0;
  }
  if (!framing.any()) return dispatch(request), 0;
  request.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(framing.length, 1 << 20)) +
                       parser_room);
  if (!framing.chunked && framing.length <= rest.size()) {  // nearly always: it came with the head
    request.body.append(rest.substr(0, framing.length));
    dispatch(request);
    return framing.length;
  }
  answering_ = false;
  request.body_came_later_ = true;
  deadline_ = server_.in(server_.options().read_timeout);
  incoming_ = std::make_unique<Incoming>(
      Incoming{std::move(request), BodyReader(framing, server_.options().body)});
  if (framing.expect_continue && rest.empty() && !http_1_0_) transmit(interim, {});
  return 0;
}

std::size_t Connection::take_body(std::string_view bytes) {
  std::string& body = incoming_->request.body;
  const std::size_t before = body.size();
  const std::size_t used = incoming_->reader.take(bytes, body);
  if (const Fault fault = incoming_->reader.fault()) return refuse(fault, incoming_->request), 0;
  if (!count_body(body.size() - before))
    return refuse({503, "too much is being sent here: try again"}, incoming_->request), 0;
  if (incoming_->reader.done()) {
    Request request = std::move(incoming_->request);
    incoming_.reset();
    deadline_ = llmroute::never;
    dispatch(request);
  } else {
    // What comes fast gives back the time that waiting took, and puts none by.
    const std::chrono::duration<double> earned(static_cast<double>(used) / slowest_body);
    deadline_ =
        std::min(llmroute::after(deadline_, std::chrono::duration_cast<llmroute::Duration>(earned)),
                 server_.in(server_.options().read_timeout));
  }
  return used;
}

void Connection::dispatch(Request& request) {
  answering_ = true;
  server_.handler().on_request(std::move(request), Responder(shared_from_this()));
}

/// After a fault nothing that follows can be trusted to be a request.
void Connection::refuse(const Fault& fault, const Request& request) {
  Response answer = server_.handler().refuse(fault, request);
  incoming_.reset();  // perhaps the request
  answering_ = close_after_ = unread_ = true;
  send(std::move(answer));
}

/// Before there is a request.
void Connection::refuse(const Fault& fault) {
  Request unread;
  unread.peer_ = address_;
  refuse(fault, unread);
}

void Connection::on_deadline() noexcept {
  or_give_up([this] { on_late(); });
}

void Connection::on_late() {
  deadline_ = llmroute::never;
  if (lingering_) return close();
  if (answering_) return makes_progress() ? arm_write() : caller_gone();
  if (incoming_) return refuse({408, "the body came too slowly"}, incoming_->request);
  if (!pending_.empty()) return refuse({408, "the header fields came too slowly"});
  close();
}

void Connection::drain() {
  close_after_ = true;
  if (!answering_ && !incoming_ && pending_.empty()) close();
}

void Connection::wait_for_request() {
  if (server_.draining()) return close();
  deadline_ = server_.in(server_.options().idle_timeout);
  if (!pending_.empty()) take({});
  if (answering_ || closed_) return;
  if (half_closed_) return close();
  if (pending_.size() < most_pending) arm_read();
}

/// Closing with input unread would reset the connection, and the caller might never see the answer.
void Connection::linger() {
  if (half_closed_) return close();
  lingering_ = true;
  pending_ = {};
  if (const auto tls = std::move(tls_)) tls->say_goodbye();
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  deadline_ = server_.in(linger_time);
  arm_read();
}

void Connection::close() noexcept {
  if (closed_) return;
  closed_ = true;
  deadline_ = llmroute::never;
  out_ = {};
  leave_client();
  uncount_body();
  if (tls_) tls_->say_goodbye();
  boost::system::error_code ignored;
  socket_.close(ignored);
  server_.closed(*this);
}

void Connection::caller_gone() {
  if (closed_) return;
  const auto self = shared_from_this();
  if (listed_) transmit({}, {});  // it may have shut its sending side only
  Exchange* exchange = std::exchange(exchange_, nullptr);
  close();
  if (exchange != nullptr) exchange->on_gone();
}

void Connection::lose() noexcept {
  or_give_up([this] { caller_gone(); });
}

void Connection::reset_on_close() noexcept {
  tls_.reset();  // without a goodbye
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
}

/// What was begun cannot be ended: the caller must not take it for the whole.
void Connection::give_up() noexcept {
  if (closed_) return;
  const auto self = shared_from_this();
  listed_ = false;
  Exchange* exchange = std::exchange(exchange_, nullptr);
  reset_on_close();
  close();
  if (exchange != nullptr) exchange->on_gone();
}

}  // namespace http

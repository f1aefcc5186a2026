/// How an answer gets to the socket: by one sendmsg an answer, or for all events that came
/// together, from where the bytes are; what the socket does not take is copied, and sent when there
/// is room.
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <new>
#include <utility>

#include "connection.hpp"
#include "server.hpp"

namespace http {
namespace {

constexpr std::size_t most_gathered = 16 * 1024;
constexpr std::string_view piece_end = "\r\n";
constexpr std::string_view last_piece_end = "\r\n0\r\n\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";
constexpr int no_content = 204;  // has no Content-Length (RFC 9110, section 8.6)

/// The Date field's value, made once a second and thread (RFC 9110, section 5.6.7).
std::string_view date() {
  thread_local std::time_t last = -1;
  thread_local std::array<char, 30> text{};
  const std::time_t now = std::time(nullptr);
  if (now != last) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    last = now;
  }
  return {text.data(), 29};
}

/// Sends what the socket takes; what is left stays in the parts. False: the connection is broken.
bool send_plain(int socket, OutputParts& parts) {
  for (;;) {
    std::array<iovec, 3> pieces{};
    std::size_t count = 0;
    for (const std::string_view part : parts) {
      if (!part.empty()) pieces[count++] = {const_cast<char*>(part.data()), part.size()};
    }
    if (count == 0) return true;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    auto left = static_cast<std::size_t>(sent);
    for (std::string_view& part : parts) {
      const std::size_t taken = std::min(left, part.size());
      part.remove_prefix(taken);
      left -= taken;
    }
  }
}

/// Bytes sent that the other side has not acknowledged.
int unacknowledged(int socket) {
  int bytes = 0;
  ::ioctl(socket, SIOCOUTQ, &bytes);
  return bytes;
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
  out.append(digits.begin(), end);
}

void append_chunk_size(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out += "\r\n";
}

}  // namespace

Responder::Responder(std::shared_ptr<Connection> connection) noexcept
    : connection_(std::move(connection)) {}

Responder::~Responder() {
  if (connection_ && connection_->answering()) abort();
}

void Responder::watch(Exchange& exchange) noexcept { connection_->watch(exchange); }

void Responder::send(Response response) {
  const auto connection = std::move(connection_);
  if (connection) connection->by_program([&] { connection->send(std::move(response)); });
}

void Responder::start(int status, const Fields& fields) {
  if (!connection_->by_program([&] { connection_->start(status, fields); })) throw std::bad_alloc();
}

bool Responder::write(std::string_view piece) {
  bool more = true;
  if (!connection_->by_program([&] { more = connection_->write(piece); })) throw std::bad_alloc();
  return more;
}

void Responder::end(std::string_view last, After after) {
  const auto connection = std::move(connection_);
  if (connection) connection->by_program([&] { connection->end(last, after); });
}

void Responder::abort() {
  const auto connection = std::move(connection_);
  if (connection) connection->by_program([&] { connection->abort(); });
}

void Connection::append_head(std::string& out, int status, const Fields& fields) const {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\nDate: ";
  out += date();
  out += "\r\n";
  out += fields.text();
  if (close_after_) {
    out += "Connection: close\r\n";
  } else if (http_1_0_) {
    out += "Connection: keep-alive\r\n";
  }
}

void Connection::send(Response response) {
  if (closed_) return;
  begun_ = true;
  std::string& head = draft();
  append_head(head, response.status, response.fields);
  if (response.status != no_content) {
    head += "Content-Length: ";
    append_number(head, response.body.size());
    head += "\r\n";
  }
  head += "\r\n";
  exchange_ = nullptr;
  ended_ = true;
  const std::string_view body = without_body_ ? std::string_view() : response.body;
  if (!gathered(body, {}) && transmit(body, {})) finish_answer();
}

void Connection::start(int status, const Fields& fields) {
  if (closed_) return;
  chunked_ = !http_1_0_;
  if (!chunked_) close_after_ = true;
  head_.clear();
  append_head(head_, status, fields);
  if (chunked_) head_ += "Transfer-Encoding: chunked\r\n";
  head_ += "\r\n";
}

bool Connection::write(std::string_view piece) {
  if (closed_ || without_body_) return true;
  begun_ = true;
  std::string& bytes = draft();
  if (!head_.empty()) bytes += std::exchange(head_, {});
  if (chunked_) append_chunk_size(bytes, piece.size());
  const std::string_view tail = chunked_ ? piece_end : std::string_view();
  return gathered(piece, tail) || transmit(piece, tail);
}

void Connection::end(std::string_view last, After after) {
  if (closed_) return;
  close_after_ = close_after_ || after == After::close;
  exchange_ = nullptr;
  begun_ = ended_ = true;
  std::string& bytes = draft();
  if (!head_.empty()) bytes += std::exchange(head_, {});
  if (without_body_) last = {};
  const bool chunk = chunked_ && !last.empty();
  if (chunk) append_chunk_size(bytes, last.size());
  std::string_view tail;
  if (chunked_ && !without_body_) tail = chunk ? last_piece_end : last_chunk;
  if (!gathered(last, tail) && transmit(last, tail)) finish_answer();
}

void Connection::abort() {
  if (closed_) return;
  exchange_ = nullptr;
  transmit({}, {});                 // what it has got so far it may have
  if (!chunked_) reset_on_close();  // its end would count as the end of the answer
  close();
}

std::string& Connection::draft() {
  if (draft_.empty()) server_.gather().lend(draft_);
  return draft_;
}

/// Whether draft and the two may leave when the turn ends.
bool Connection::gathered(std::string_view piece, std::string_view tail) {
  if (!server_.gather().waits() || !out_.empty()) return false;
  if (draft_.size() + piece.size() >= most_gathered) return false;
  draft_.append(piece).append(tail);
  if (!listed_) server_.gather().list(shared_from_this());
  return listed_ = true;
}

void Connection::send_gathered() noexcept {
  or_give_up([this] {
    if (closed_ || !listed_) return;
    if (transmit({}, {}) && ended_) finish_answer();
  });
}

bool Connection::send_some(OutputParts& parts) noexcept {
  return tls_ ? tls_->send(parts) : send_plain(socket_.native_handle(), parts);
}

/// Sends the draft and the two in one go; true when the socket took all. A broken connection counts
/// as taken: the program is told soon, not from inside its own call.
bool Connection::transmit(std::string_view piece, std::string_view tail) {
  OutputParts parts = {draft_, piece, tail};
  const bool queued = !out_.empty();
  const bool sound = queued || send_some(parts);
  if (sound) {
    for (const std::string_view part : parts) out_ += part;
  }
  listed_ = false;
  server_.gather().take_back(draft_);
  if (!sound) {
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->lose(); });
    return !ended_;
  }
  if (out_.empty()) return true;
  if (!queued) arm_write();
  return false;
}

void Connection::arm_write() {
  deadline_ = server_.in(server_.options().write_timeout);
  unread_before_ = unacknowledged(socket_.native_handle());
  if (writing_) return;
  writing_ = true;
  socket_.async_wait(boost::asio::socket_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->or_give_up([&] { self->on_writable(error); });
                     });
}

void Connection::on_writable(const boost::system::error_code& error) {
  writing_ = false;
  if (closed_ || error == boost::asio::error::operation_aborted) return;
  if (tls_ && !tls_->ready()) return shake_hands();
  if (!flush()) return;
  if (ended_) return finish_answer();
  deadline_ = llmroute::never;
  if (exchange_ != nullptr) exchange_->on_writable();
}

/// A socket counts as writable only when a third of its buffer is free, which may be megabytes: a
/// caller that reads slowly makes progress long before.
bool Connection::makes_progress() {
  return unacknowledged(socket_.native_handle()) < unread_before_;
}

/// True when nothing is left.
bool Connection::flush() {
  OutputParts parts = {std::string_view(out_).substr(out_at_), {}, {}};
  if (!send_some(parts)) {
    caller_gone();
    return false;
  }
  out_at_ = out_.size() - parts[0].size();
  if (!parts[0].empty()) {
    arm_write();
    return false;
  }
  out_ = {};
  out_at_ = 0;
  return true;
}

void Connection::finish_answer() {
  answering_ = begun_ = ended_ = chunked_ = false;
  exchange_ = nullptr;
  if (client_) leave_client();
  if (counted_ > 0) uncount_body();
  if (close_after_) return unread_ || !pending_.empty() ? linger() : close();
  if (taking_) {  // take() goes on with what follows
    deadline_ = server_.in(server_.options().idle_timeout);
    return;
  }
  wait_for_request();
}

}  // namespace http

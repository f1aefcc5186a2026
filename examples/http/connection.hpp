/// One connection: reads requests in order, hands each to the program, sends its answer. It keeps
/// no buffer while it waits: input is read into one the server shares among all, output goes
/// straight to the socket, and only what neither took is stored.
///
/// A caller that closes and one that only shuts its sending side look alike: both send a FIN. But
/// the first answers whatever it is sent by a reset, so during an answer it is sent something to
/// pass over: "100 Continue" (RFC 9110, section 15.2), or the exchange's padding.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <llmroute/core/time.hpp>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include "body_reader.hpp"
#include "handler.hpp"
#include "head_parser.hpp"
#include "tls.hpp"

namespace http {

class ConnectionCaps;
class Listener;
class Server;

/// Held by the server's list until it is closed, and by the handlers of its waits.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, boost::asio::ip::tcp::socket socket, std::string address,
             const Listener& listener);
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void begin() noexcept;

  /// The program's side, through Responder.
  void watch(Exchange& exchange) noexcept { exchange_ = &exchange; }

  /// A step of the program's. False: there was no memory for it, and the connection is closed; the
  /// exchange is not told, as it is on the stack.
  template <class F>
  bool by_program(F&& step) noexcept {
    try {
      step();
      return true;
    } catch (const std::bad_alloc&) {
      exchange_ = nullptr;
      give_up();
      return false;
    }
  }
  void send(Response response);
  void start(int status, const Fields& fields);
  bool write(std::string_view piece);
  void end(std::string_view last, After after);
  void abort();
  bool answering() const noexcept { return answering_; }
  void send_gathered() noexcept;  ///< through Gather

  /// The server's side.
  llmroute::Time deadline() const noexcept { return deadline_; }
  void on_deadline() noexcept;
  void drain();             ///< closes when idle, else after the answer under way
  void lose() noexcept;     ///< as if the caller had gone
  void give_up() noexcept;  ///< the same at once, for want of memory

  ConnectionCaps& caps() const noexcept { return caps_; }

  /// The address that the caps count it for. Many come from a proxy: its connections count for
  /// none, each request on them for whom it came from.
  const std::string& counted_as() const noexcept {
    static const std::string none;
    return trusted_ ? none : address_;
  }

 private:
  /// A request whose body is still coming.
  struct Incoming {
    Request request;
    BodyReader reader;
  };

  /// One caller's share of a lack of memory is its connection.
  template <class F>
  void or_give_up(F&& step) noexcept {
    try {
      step();
    } catch (const std::bad_alloc&) {
      give_up();
    }
  }
  void on_late();
  void arm_read();
  void arm_write();
  void on_readable(const boost::system::error_code& error);
  void on_writable(const boost::system::error_code& error);
  ssize_t receive(std::span<char> buffer) noexcept;
  bool send_some(OutputParts& parts) noexcept;
  void shake_hands();
  void on_half_close();
  void await_reset();

  void take(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  std::size_t begin_request(Request& request, const BodyFraming& framing, std::string_view rest);
  void dispatch(Request& request);
  bool note_client(Request& request);
  void leave_client() noexcept;
  bool count_body(std::size_t bytes) noexcept;
  void uncount_body() noexcept;
  void refuse(const Fault& fault);
  void refuse(const Fault& fault, const Request& request);

  void append_head(std::string& out, int status, const Fields& fields) const;
  std::string& draft();
  bool gathered(std::string_view piece, std::string_view tail);
  bool transmit(std::string_view piece, std::string_view tail);
  bool makes_progress();
  bool flush();
  void finish_answer();
  void wait_for_request();
  void linger();
  void close() noexcept;
  void reset_on_close() noexcept;
  void caller_gone();

  Server& server_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_{};  // null: bytes go as they are
  std::string address_;
  ConnectionCaps& caps_;
  const int listener_;  // which one it came by
  const bool trusted_;  // from a proxy whose word on where requests come from is taken

  std::string pending_{};  // input not used yet
  HeadScanner scanner_;
  std::unique_ptr<Incoming> incoming_{};
  std::unique_ptr<std::string> client_{};  // that the request under way counts for
  std::size_t counted_ = 0;                // bytes of its body that the caps count
  Exchange* exchange_ = nullptr;

  std::string draft_{};     // output put together, perhaps to be sent when the turn ends
  std::string head_{};      // of a streamed answer, until its first piece
  std::string out_{};       // output the socket did not take,
  std::size_t out_at_ = 0;  // but for so much of it
  int unread_before_ = 0;   // of what the socket took, when the wait for room began
  llmroute::Time deadline_ = llmroute::never;

  bool reading_ = false;     // a wait for input is under way
  bool writing_ = false;     // a wait for room is under way
  bool taking_ = false;      // take() is on the stack
  bool head_begun_ = false;  // part of a head has come
  bool answering_ = false;   // a request is the program's
  bool begun_ = false;       // its answer has been given in part, or whole
  bool ended_ = false;       // its answer is complete but for what is in out_
  bool chunked_ = false;
  bool without_body_ = false;  // HEAD
  bool http_1_0_ = false;
  bool close_after_ = false;
  bool unread_ = false;       // input is left that will never be used
  bool half_closed_ = false;  // no more input comes
  bool lingering_ = false;
  bool listed_ = false;  // draft_ is sent when the turn ends
  bool closed_ = false;
};

}  // namespace http

/// The seam between the server and a program: the server calls a Handler, the program answers
/// through a Responder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "fault.hpp"
#include "message.hpp"

namespace http {

class Connection;

/// The program's side of an answer under way; told what happens to the caller. Calls come from the
/// server's thread, never from inside a Responder's functions.
class Exchange {
 public:
  /// What write() said no to has been sent.
  virtual void on_writable() = 0;

  /// The caller has gone, or made no progress for write_timeout. Nothing can be sent any more.
  virtual void on_gone() = 0;

  /// What a reader of this answer's body passes over, of a stream of events a comment. It is sent
  /// to see whether a caller that has shut its sending side still reads. Empty: there is no such
  /// thing, and that caller is taken for gone.
  virtual std::string_view padding() const { return {}; }

 protected:
  ~Exchange() = default;
};

/// What becomes of the connection when an answer has ended.
enum class After : std::uint8_t { keep, close };

/// Answers one request: send(), or start(), write() any number of times, end(). Destroyed without
/// an answer it breaks the connection. After the caller has gone every function does nothing. When
/// there is no memory the connection breaks; start() and write() then throw std::bad_alloc. One
/// thread: the server's.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Connection> connection) noexcept;
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder();

  /// From now on `exchange` is told; it must live until the answer has ended or the caller has
  /// gone.
  void watch(Exchange& exchange) noexcept;

  /// A whole answer, head and body in one piece.
  void send(Response response);

  /// The head of a streamed answer. It goes out with the first write.
  void start(int status, const Fields& fields);

  /// A piece, sent at once, or with what else comes during the same turn of the loop (see Gather).
  /// What the socket does not take is copied. False: write no more until on_writable().
  bool write(std::string_view piece);

  /// The last piece and the end of the answer.
  void end(std::string_view last = {}, After after = After::keep);

  /// Breaks the connection, so that the caller cannot take what it has for the whole.
  void abort();

 private:
  std::shared_ptr<Connection> connection_;
};

/// What a program does with requests. One thread a server.
class Handler {
 public:
  virtual ~Handler() = default;

  /// The head is here, the body is not read yet. An answer refuses the request; the body is then
  /// never read.
  virtual std::optional<Response> on_head(Request& request) = 0;

  /// The whole request.
  virtual void on_request(Request request, Responder responder) = 0;

  /// The answer to what is no acceptable HTTP, or more than there is room for: the status is one of
  /// 4xx, 5xx. `request` has what could be read of it, its caller at the least. The connection
  /// closes after it.
  virtual Response refuse(const Fault& fault, const Request& request) = 0;
};

}  // namespace http

/// What a scripted upstream does with one request, step by step.
///
///     answer(200, R"({"ok":true})")                                   a plain response, connection
///     kept event_stream({chat_chunk("Hel"), chat_chunk("lo"), done()})     a whole stream
///     event_stream({chat_chunk("Hel")},
///     Ending::open).wait(gate).send(chunk(chat_chunk("lo"))).reset() answer(200, body).cut_at(n)
///     closed after n bytes of the response
#pragma once

#include <chrono>
#include <llmroute/headers.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/gate.hpp"

namespace llmroute::test {

/// One step after the other; at the end the connection is kept for the next request.
class Script {
 public:
  struct Step {
    enum class Kind { send, wait, pause, hang, close, reset };
    Kind kind = Kind::send;
    std::string bytes{};
    Gate gate{};
    std::chrono::milliseconds time{};
  };

  Script& send(std::string bytes);                ///< as they are, in one write
  Script& wait(const Gate& gate);                 ///< until the gate opens or the peer goes
  Script& pause(std::chrono::milliseconds time);  ///< a slow node; ends early when the peer goes
  Script& hang();                                 ///< silent until the peer goes
  Script& close();                                ///< properly, with a FIN
  Script& reset();                                ///< with an RST

  /// Only the first `bytes` of all that is sent, then close (or reset). What else was planned is
  /// dropped.
  Script& cut_at(std::size_t bytes, bool with_reset = false);

  /// The same bytes, `size` a write, with a pause after each.
  Script& in_pieces_of(std::size_t size, std::chrono::milliseconds pause = {});

  /// How much it sends in all.
  std::size_t size() const noexcept;

  const std::vector<Step>& steps() const noexcept { return steps_; }

 private:
  Script& add(Step::Kind kind);
  std::vector<Step> steps_;
};

/// "HTTP/1.1 200 OK" and fields, blank line included. No length field of its own.
std::string head(int status, const Headers& fields = {});

/// A response with Content-Length.
Script answer(int status, std::string_view body,
              Headers fields = {{"Content-Type", "application/json"}});

/// Any bytes at all.
Script raw(std::string bytes);

/// One chunk of a chunked body. Empty text is the last chunk.
std::string chunk(std::string_view text);

/// Whether a chunked body gets its last chunk.
enum class Ending { whole, open };

/// A chunked response, one write a piece.
Script chunked(int status, const std::vector<std::string>& pieces, Ending ending = Ending::whole,
               Headers fields = {});

/// 200 text/event-stream, one chunk an event.
Script event_stream(const std::vector<std::string>& events, Ending ending = Ending::whole);

/// "data: ...\n\n"
std::string sse(std::string_view data);

/// An event of a chat completion that carries `text`; an empty one only the role.
std::string chat_chunk(std::string_view text, std::string_view model = "m");

/// The event that ends a choice.
std::string chat_finish(std::string_view reason = "stop", std::string_view model = "m");

/// "data: [DONE]\n\n"
std::string done();

/// A whole plain chat completion.
std::string chat_completion(std::string_view text, std::string_view model = "m");

}  // namespace llmroute::test

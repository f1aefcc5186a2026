/// What only HTTP/2 can do to an answer: frames that end a stream, or the connection under it.
#include "faults/fault.hpp"

namespace llmroute::test {

namespace {

// RFC 9113, section 7.
constexpr std::uint32_t no_error = 0;
constexpr std::uint32_t internal_error = 2;
constexpr std::uint32_t refused_stream = 7;

std::string body_of(Mode mode) {
  if (mode == Mode::plain) return chat_completion(whole_text);
  std::string body;
  for (const std::string& event : good_events()) body += event;
  return body;
}

/// A head that promises no length, and so much of a good body.
H2Script begun(Mode mode, std::size_t kept) {
  const char* type = mode == Mode::plain ? "application/json" : "text/event-stream";
  return H2Script().head(200, {{"content-type", type}}).data(body_of(mode).substr(0, kept));
}

auto says(const H2Script& script) {
  return makes([script] { return std::make_unique<H2Node>(script); });
}

/// Half of a good answer, and then what `last` adds.
template <class Last>
auto half_then(Last last) {
  return [last](Mode mode, std::size_t) {
    H2Script script = begun(mode, body_of(mode).size() / 2);
    last(script);
    return std::make_unique<H2Node>(script);
  };
}

}  // namespace

std::vector<Fault> http2_faults() {
  constexpr std::size_t step = 11;
  const Expected no_head = charged_to(Blame::node, elsewhere(ErrorCode::upstream_error));
  const Expected bad = elsewhere(ErrorCode::bad_upstream);
  const Expected cut = elsewhere(ErrorCode::stream_interrupted);
  return {
      {"HTTP/2: stream reset before its head", says(H2Script().reset(internal_error)), no_head,
       no_head},
      {"HTTP/2: stream refused", says(H2Script().reset(refused_stream)), no_head, no_head},
      {"HTTP/2: connection closed before the head", says(H2Script().close()), no_head, no_head},
      {"HTTP/2: stream reset in mid-answer",
       half_then([](H2Script& script) { script.reset(internal_error); }), bad, cut},
      {"HTTP/2: connection closed in mid-answer",
       half_then([](H2Script& script) { script.goaway(no_error, true).close(); }), bad, cut},
      // To libcurl a proper end: that the answer is not whole shows in its bytes alone.
      {"HTTP/2: reset without an error at every eleventh byte",
       [](Mode mode, std::size_t variant) {
         return std::make_unique<H2Node>(begun(mode, variant * step).reset(no_error));
       },
       bad,
       {.promise = Promise::from_either,
        .code = ErrorCode::stream_interrupted,
        .or_code = ErrorCode::upstream_error},
       [](Mode mode) { return (body_of(mode).size() + step - 1) / step; }},
  };
}

}  // namespace llmroute::test

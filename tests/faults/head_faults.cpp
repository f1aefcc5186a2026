/// Response heads that are none, that never end, or that contradict themselves.
#include <fmt/format.h>

#include "faults/fault.hpp"

namespace llmroute::test {

namespace {

const std::string status_line = "HTTP/1.1 200 OK\r\n";
const std::string json_type = "Content-Type: application/json\r\n";
const std::string stream_type = "Content-Type: text/event-stream\r\n";

std::string good_body(Mode mode) {
  if (mode == Mode::plain) return chat_completion(whole_text);
  std::string body;
  for (const std::string& event : good_events()) body += event;
  return body;
}

/// A good body below a head with `fields` in it; {} in them is the body's length.
auto with_fields(const std::string& fields) {
  const auto script = [&](Mode mode) {
    const std::string body = good_body(mode);
    return raw(status_line + (mode == Mode::plain ? json_type : stream_type) +
               fmt::format(fmt::runtime(fields), body.size()) + "\r\n" + body);
  };
  return plays(script(Mode::plain), script(Mode::streamed));
}

/// A good answer behind `bytes`.
auto after(const std::string& bytes) {
  return plays(
      raw(bytes + good_script(Mode::plain).steps()[0].bytes),
      raw(bytes + "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
          std::to_string(good_body(Mode::streamed).size()) + "\r\n\r\n" +
          good_body(Mode::streamed)));
}

std::string repeated(int times, const std::string& line) {
  std::string all;
  for (int i = 0; i < times; ++i) all += line;
  return all;
}

}  // namespace

std::vector<Fault> head_faults() {
  const Expected malformed = elsewhere(ErrorCode::bad_upstream);
  const Expected no_head = charged_to(Blame::node, elsewhere(ErrorCode::upstream_error));
  const Expected plain_silence = only_elsewhere(ErrorCode::upstream_timeout, Limit::response);
  const Expected stream_silence = only_elsewhere(ErrorCode::upstream_timeout, Limit::headers);
  const std::string length = "Content-Length: {}\r\n";
  return {
      {"request read, no answer", plays(Script{}.hang()), plain_silence, stream_silence},
      {"request read, closed", plays(Script{}.close()), no_head, no_head},
      {"request read, reset", plays(Script{}.reset()), no_head, no_head},
      {"headers drip, a byte every 20 ms",
       plays(raw(status_line + repeated(100, "X-Field: value\r\n"))
                 .in_pieces_of(1, std::chrono::milliseconds(20))
                 .hang()),
       plain_silence, stream_silence},
      {"headers cut before the blank line",
       plays(raw(status_line + json_type).close(), raw(status_line + stream_type).close()), no_head,
       no_head},
      {"two unlike Content-Lengths", with_fields(length + "Content-Length: 7\r\n"), malformed,
       malformed},
      {"Content-Length of 2^64", with_fields("Content-Length: 18446744073709551616\r\n"), malformed,
       malformed},
      {"Content-Length and Transfer-Encoding",
       with_fields(length + "Transfer-Encoding: chunked\r\n"), malformed, malformed},
      {"unknown transfer coding", with_fields("Transfer-Encoding: rot13\r\n"), malformed,
       malformed},
      {"status 999", plays(answer(999, "{}")), malformed, malformed},
      {"status 101", plays(raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n").hang()),
       malformed, malformed},
      {"no HTTP at all", plays(raw("SSH-2.0-OpenSSH_9.2\r\n").close()), malformed, malformed},
      {"bad status line", plays(raw("HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}")), malformed,
       malformed},
      {"CR in a header value", with_fields(length + "X-Field: a\rb\r\n"), malformed, malformed},
      {"20,000 headers", with_fields(length + repeated(20'000, "X-Field: value\r\n")), malformed,
       malformed},
      {"header of 1 MiB", with_fields(length + "X-Field: " + std::string(1 << 20, 'x') + "\r\n"),
       malformed, malformed},
      {"flood of 100 Continue", after(repeated(10'000, "HTTP/1.1 100 Continue\r\n\r\n")), malformed,
       malformed},
      {"one 103 Early Hints", after("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), harmless(),
       harmless()},
  };
}

}  // namespace llmroute::test

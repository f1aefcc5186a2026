/// Status 200, and a body that is not what was asked for.
#include "faults/fault.hpp"
#include "support/gzip.hpp"

namespace llmroute::test {

namespace {

const Headers json{{"Content-Type", "application/json"}};
const Headers events{{"Content-Type", "text/event-stream"}};

std::string stream_body() {
  std::string body;
  for (const std::string& event : good_events()) body += event;
  return body;
}

/// The same body for both; a stream says that it is one.
auto body(const std::string& text) {
  return plays(answer(200, text, json), answer(200, text, events));
}

auto packed(const std::string& plain, const std::string& streamed) {
  const Headers coding{{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}};
  const Headers coded_stream{{"Content-Type", "text/event-stream"}, {"Content-Encoding", "gzip"}};
  return plays(answer(200, plain, coding), answer(200, streamed, coded_stream));
}

/// Cut after the head and so many bytes.
Script ends_early(const std::string& text, const Headers& fields, std::size_t kept) {
  Script whole = answer(200, text, fields);
  return whole.cut_at(whole.size() - text.size() + kept);
}

}  // namespace

std::vector<Fault> body_faults() {
  const Expected bad = elsewhere(ErrorCode::bad_upstream);
  const Expected cut = elsewhere(ErrorCode::stream_interrupted);
  const Expected error = elsewhere(ErrorCode::upstream_error);
  const std::string completion = chat_completion(whole_text);
  const std::string half = completion.substr(0, completion.size() / 2);
  const std::string error_body = R"({"error":{"message":"out of memory","code":500}})";
  return {
      {"gzip, unasked", packed(gzip(completion), gzip(stream_body())), bad, bad},
      {"gzip bomb of 64 MiB", packed(gzip_bomb(64 << 20), gzip_bomb(64 << 20)), bad, bad},
      {"HTML with 200", plays(answer(200, "<html>busy</html>", {{"Content-Type", "text/html"}})),
       bad, bad},
      {"empty body with 200", body(""), bad, cut},
      {"204", plays(raw(head(204))), bad, cut},
      {"null", plays(answer(200, "null")), bad, bad},
      {"a bare string", plays(answer(200, R"("hello")")), bad, bad},
      {"truncated JSON of the right length", body(half), bad, cut},
      {"body shorter than its Content-Length",
       plays(ends_early(completion, json, completion.size() - 1),
             ends_early(stream_body(), events, 200)),
       bad, cut},
      {"body of no length, cut",
       plays(raw(head(200, json) + half).close(), raw(head(200, events) + chat_chunk("")).close()),
       bad, cut},
      {"body of no length, closed at every byte",
       [completion](Mode mode, std::size_t variant) {
         // One byte of a plain answer a variant, and seven of a stream.
         const std::string whole = mode == Mode::plain ? completion : stream_body();
         const Headers& fields = mode == Mode::plain ? json : events;
         const std::size_t kept = mode == Mode::plain ? variant : variant * 7;
         return std::make_unique<ScriptedNode>(
             raw(head(200, fields) + whole.substr(0, kept)).close());
       },
       bad,
       {.promise = Promise::from_either,
        .code = ErrorCode::stream_interrupted,
        .or_code = ErrorCode::upstream_error},
       [completion](Mode mode) {
         return mode == Mode::plain ? completion.size() : stream_body().size() / 7;
       }},
      {"TLS: body of no length, cut without close_notify",
       [completion](Mode mode, std::size_t) {
         return std::make_unique<SecureNode>(
             mode == Mode::plain
                 ? raw(head(200, json) + completion.substr(0, completion.size() / 2)).close()
                 : raw(head(200, events) + good_events()[0] + good_events()[1]).close());
       },
       bad, cut},
      {"answer drips, a byte every 20 ms",
       plays(
           drips(raw(head(200, {{"Content-Type", "application/json"}, {"Content-Length", "999"}}))),
           drips(raw(head(200, events) + "data: "))),
       only_elsewhere(ErrorCode::upstream_timeout, Limit::response),
       only_elsewhere(ErrorCode::upstream_timeout, Limit::idle)},
      {"bad chunk size",
       plays(raw(head(200, {{"Transfer-Encoding", "chunked"}}) + "zz\r\n" + completion +
                 "\r\n0\r\n\r\n"),
             raw(head(200,
                      {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}}) +
                 "zz\r\n" + stream_body() + "\r\n0\r\n\r\n")),
       bad, cut},
      {"chunks without their end",
       plays(chunked(200, {half}, test::Ending::open, json).close(),
             chunked(200, {chat_chunk("")}, test::Ending::open, events).close()),
       bad, cut},
      {"error object with 200", plays(answer(200, error_body)), error, error},
      {"answer cut at every seventh byte, closed",
       [](Mode mode, std::size_t variant) {
         Script script = good_script(mode);
         return std::make_unique<ScriptedNode>(script.cut_at(variant * 7));
       },
       {.code = ErrorCode::bad_upstream, .or_code = ErrorCode::upstream_error},
       {.promise = Promise::from_either,
        .code = ErrorCode::stream_interrupted,
        .or_code = ErrorCode::upstream_error},
       [](Mode mode) { return good_script(mode).size() / 7; }},
      {"answer cut at every seventh byte, reset",
       [](Mode mode, std::size_t variant) {
         Script script = good_script(mode);
         return std::make_unique<ScriptedNode>(script.cut_at(variant * 7 + 3, true));
       },
       {.code = ErrorCode::bad_upstream, .or_code = ErrorCode::upstream_error},
       {.promise = Promise::from_either,
        .code = ErrorCode::stream_interrupted,
        .or_code = ErrorCode::upstream_error},
       [](Mode mode) { return good_script(mode).size() / 7; }},
      {"one byte a write",
       [](Mode mode, std::size_t) {
         return std::make_unique<ScriptedNode>(good_script(mode).in_pieces_of(1));
       },
       harmless(), harmless()},
  };
}

}  // namespace llmroute::test

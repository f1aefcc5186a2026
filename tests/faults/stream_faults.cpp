/// Event streams that stop, lie or dawdle. A plain call that is given one is given no answer.
#include "faults/fault.hpp"

namespace llmroute::test {

namespace {

using End = test::Ending;

Fault row(std::string name, Script script, const Expected& streamed,
          const Expected& plain = elsewhere(ErrorCode::bad_upstream)) {
  return {std::move(name), plays(std::move(script)), plain, streamed};
}

constexpr std::size_t max_event = std::size_t{64} << 10;

Fault small_events(std::string name, Script script) {
  Fault fault = row(std::move(name), std::move(script), elsewhere(ErrorCode::stream_interrupted));
  fault.settings = [](Config& config) { config.router.max_event = max_event; };
  return fault;
}

/// The beginning of the good answer, then `last`.
std::vector<std::string> begun(const std::string& last) {
  const std::vector<std::string> good = good_events();
  return {good[0], good[1], good[2], last};
}

std::vector<std::string> begun() {
  std::vector<std::string> events = begun("");
  events.pop_back();
  return events;
}

/// The good answer, and no event with a finish_reason.
std::vector<std::string> without_finish() {
  std::vector<std::string> events = good_events();
  events.erase(events.end() - 2);
  return events;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// The good stream with other line ends.
Script lines_end_with(std::string_view end) {
  std::vector<std::string> events = good_events();
  for (std::string& event : events) event = replaced(event, "\n", end);
  return event_stream(events);
}

Script without_last(std::size_t count, End ending) {
  std::vector<std::string> events = good_events();
  events.resize(events.size() - count);
  return event_stream(events, ending);
}

/// Every event in two pieces, cut within a character where there is one.
Script cut_in_characters() {
  Script script = raw(head(200, {{"Content-Type", "text/event-stream"}}));
  std::string all;
  for (const std::string& event : good_events()) all += event;
  std::size_t from = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if ((static_cast<unsigned char>(all[i]) & 0xC0U) != 0x80U) continue;  // no byte within one
    script.send(all.substr(from, i - from)).pause(std::chrono::milliseconds(2));
    from = i;
  }
  return script.send(all.substr(from)).close();
}

}  // namespace

std::vector<Fault> stream_faults() {
  const Expected cut = elsewhere(ErrorCode::stream_interrupted);
  const Expected error = elsewhere(ErrorCode::upstream_error);
  const Expected stalled = only_elsewhere(ErrorCode::stream_interrupted, Limit::idle);
  const Expected idle = only_elsewhere(ErrorCode::upstream_timeout, Limit::idle);
  const Expected first_content{
      .code = ErrorCode::upstream_timeout, .alone_attempts = 1, .limit = Limit::first_content};
  const Expected slow = only_elsewhere(ErrorCode::upstream_timeout, Limit::response);
  const std::string error_event = sse(R"({"error":{"message":"gpu lost"}})");
  const std::string named_error = "event: error\ndata: {\"message\":\"gpu lost\"}\n\n";
  const std::string large =
      sse(R"({"choices":[{"delta":{"content":")" + std::string(max_event, 'x') + "\"}}]}");
  Expected unfinished = harmless();
  unfinished.finishes = 0;
  const std::string role = good_events()[0];
  std::vector<std::string> and_more = good_events();
  and_more.push_back(chat_chunk("more"));
  std::vector<std::string> pings(50, ": ping\n\n");
  return {
      row("stream: error as first event", event_stream({error_event, done()}), error),
      row("stream: event: error first", event_stream({named_error}), error),
      row("stream: role, then closed", event_stream({role}, End::open).close(), cut),
      row("stream: role, then ended", event_stream({role}), cut),
      row("stream: role, then reset", event_stream({role}, End::open).reset(), cut),
      row("stream: nothing but [DONE]", event_stream({done()}), cut),
      row("stream: no event", event_stream({}), cut),
      row("stream: comments, then closed", event_stream(pings, End::open).close(), cut),
      row("stream: garbage first", event_stream({sse("{nonsense")}), cut),
      small_events("stream: event beyond max_event first", event_stream({large})),
      row("stream: silent before the first event", event_stream({}, End::open).hang(), idle, slow),
      row("stream: role, then silent", event_stream({role}, End::open).hang(), idle, slow),
      {"stream: comments and nothing else, with first_content",
       [pings](Mode, std::size_t) {
         return std::make_unique<ScriptedNode>(event_stream(pings, End::open).hang());
       },
       slow, first_content, [](Mode) { return std::size_t{1}; },
       [](Config& config) { config.timeouts.idle = std::chrono::milliseconds(300); }},
      row("stream: closed after content", event_stream(begun(), End::open).close(), cut),
      row("stream: ended after content, no finish_reason", event_stream(begun()), cut),
      row("stream: reset after content", event_stream(begun(), End::open).reset(), cut),
      row("stream: silent after content", event_stream(begun(), End::open).hang(), stalled, slow),
      row("stream: drips after content, and no event is whole",
          drips(event_stream(begun(), End::open).send("fff\r\ndata: ")), stalled, slow),
      row("stream: error event after content", event_stream(begun(error_event)), cut),
      row("stream: event: error after content", event_stream(begun(named_error)), cut),
      row("stream: garbage after content", event_stream(begun(sse("{nonsense"))), cut),
      small_events("stream: event beyond max_event after content", event_stream(begun(large))),
      row("stream: bad chunk size after content",
          event_stream(begun(), End::open).send("zz\r\n").hang(), cut),
      row("stream: [DONE] without finish_reason", event_stream(without_finish()), unfinished),
      row("stream: finish_reason without [DONE]", without_last(1, End::whole), harmless()),
      row("stream: finish_reason, then closed", without_last(1, End::open).close(), harmless()),
      {"stream: [DONE], body left open", plays(without_last(0, End::open).hang()), slow, harmless(),
       [](Mode) { return std::size_t{1}; }, [](Config&) {}, true},
      row("stream: events after [DONE]", event_stream(and_more), harmless()),
      row("stream: characters cut between reads", cut_in_characters(), harmless()),
      row("stream: CRLF", lines_end_with("\r\n"), harmless()),
      row("stream: bare CR", lines_end_with("\r"), harmless()),
  };
}

}  // namespace llmroute::test

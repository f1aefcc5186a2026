// Server-sent events in all pieces and line ends.
#include <catch2/catch.hpp>
#include <ctime>
#include <llmroute/wire/sse_parser.hpp>

using llmroute::wire::SseEvent;
using llmroute::wire::SseParser;

namespace {

using Texts = std::vector<std::string>;

/// An event that outlives its parser.
struct Kept {
  std::string event{};
  std::string data{};
  std::string raw{};
  bool is_comment = false;
  bool is_done = false;
  friend bool operator==(const Kept&, const Kept&) = default;
};

std::ostream& operator<<(std::ostream& out, const Kept& kept) {
  return out << "{event " << kept.event << ", data " << kept.data << ", raw " << kept.raw << "}";
}

void take_all(SseParser& parser, std::vector<Kept>& out) {
  while (const std::optional<SseEvent> event = parser.next()) {
    out.push_back({std::string(event->event), std::string(event->data), std::string(event->raw),
                   event->is_comment, event->is_done});
  }
}

std::vector<Kept> parse_pieces(const Texts& pieces, std::size_t max_event) {
  SseParser parser(max_event);
  std::vector<Kept> out;
  for (const std::string& piece : pieces) {
    parser.feed(piece);
    take_all(parser, out);
  }
  parser.finish();
  take_all(parser, out);
  return out;
}

std::vector<Kept> parse(const std::string& text) {
  SseParser parser(1 << 20);
  std::vector<Kept> out;
  parser.feed(text);
  take_all(parser, out);
  parser.finish();
  take_all(parser, out);
  return out;
}

std::vector<std::string> data_of(const std::string& text) {
  std::vector<std::string> out;
  for (const Kept& kept : parse(text)) out.push_back(kept.data);
  return out;
}

/// Feeds pieces from buffers that are overwritten as soon as the parser may not look any more.
std::vector<Kept> parse_borrowed(const std::string& text, const std::vector<std::size_t>& cuts) {
  SseParser parser(1 << 20);
  std::vector<Kept> out;
  std::vector<char> borrowed;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : text.size();
    std::vector<char> piece(text.data() + at, text.data() + end);
    at = end;
    parser.feed({piece.data(), piece.size()});
    std::fill(borrowed.begin(), borrowed.end(), '#');
    borrowed.swap(piece);
    take_all(parser, out);
  }
  parser.finish();
  take_all(parser, out);
  return out;
}

const Texts samples = {
    "data: one\n\ndata: two\n\ndata: [DONE]\n\n",
    "data: one\r\rdata: two\r\rdata: [DONE]\r\r",
    "data: one\r\n\r\ndata: two\r\n\r\ndata: [DONE]\r\n\r\n",
    "data: one\r\n\ndata: two\n\r\ndata: three\r\r\ndata: four\n\rdata: five\r\n\r",
    "\xEF\xBB\xBF"
    "data: one\n\n\xEF\xBB\xBF"
    "data: two\n\ndata: three\n\n",
    "data: \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\n\ndata: \xFF\xC3\n\n",
    ": keep-alive\n\n:\r\n\r\ndata: x\n: in it\ndata: y\n\n",
    "event: error\ndata: {\"a\":1}\nid: 7\nretry: 10\n\n",
    "\n\n\r\n\r\r\ndata: after blanks\n\n\n\ndata: more\n\n\n",
    "data: unfinished\n\ndata: dropped\n",
    "data: one\n\ndata: [DONE]",
    "data: one\n\ndata: [DONE]\r",
    "data\ndata\n\ndata:x\r\ndata:  y\r\n\r\n",
    "",
    "\xEF\xBB",
    "\xEF\xBB\xBF",
};

}  // namespace

TEST_CASE("an SSE event ends at a blank line, whatever ends the lines", "[sse]") {
  const Texts one_two{"one", "two"};
  CHECK(data_of("data: one\n\ndata: two\n\n") == one_two);
  CHECK(data_of("data: one\r\rdata: two\r\r") == one_two);
  CHECK(data_of("data: one\r\n\r\ndata: two\r\n\r\n") == one_two);
  CHECK(data_of("data: one\r\n\ndata: two\n\r\n") == one_two);
  CHECK(data_of("data: one\n\rdata: two\r\r\n") == one_two);
  CHECK(data_of("\n\n\r\r\n\ndata: one\n\n\n\n\ndata: two\n\n\n") == one_two);
}

TEST_CASE("SSE bytes cut anywhere give the events of the uncut ones", "[sse]") {
  for (const std::string& sample : samples) {
    const std::vector<Kept> whole = parse(sample);
    CAPTURE(sample);
    for (std::size_t cut = 0; cut <= sample.size(); ++cut) {
      CAPTURE(cut);
      CHECK(parse_borrowed(sample, {cut}) == whole);
      for (std::size_t second = cut; second <= sample.size(); second += 3) {
        if (parse_borrowed(sample, {cut, second}) == whole) continue;
        FAIL_CHECK("differs when cut again at " << second);
      }
    }
    std::vector<std::size_t> every;
    for (std::size_t cut = 1; cut < sample.size(); ++cut) every.push_back(cut);
    CHECK(parse_borrowed(sample, every) == whole);
  }
}

TEST_CASE("the bytes of SSE events are kept as they came", "[sse]") {
  const std::string text = "data: one\r\n\r\n: ping\n\nevent: x\rdata: a\rdata: b\r\rdata:c\n\n";
  std::string joined;
  for (const Kept& kept : parse(text)) joined += kept.raw;
  CHECK(joined == text);
}

TEST_CASE("a byte order mark counts only in front of the first SSE event", "[sse]") {
  CHECK(data_of("\xEF\xBB\xBF"
                "data: one\n\n") == Texts{"one"});
  CHECK(data_of("data: one\n\n\xEF\xBB\xBF"
                "data: two\n\ndata: three\n\n") == Texts{"one", "three"});
  CHECK(data_of("\xEF\xBB"
                "data: one\n\ndata: two\n\n") == Texts{"two"});
}

TEST_CASE("SSE fields are read by the rules", "[sse]") {
  SECTION("data lines are joined by a line feed") {
    CHECK(data_of("data: a\ndata: b\r\ndata:\rdata: d\n\n") == Texts{"a\nb\n\nd"});
    CHECK(data_of("data\ndata\n\n") == Texts{"\n"});
  }
  SECTION("one space behind the colon goes, a second stays") {
    CHECK(data_of("data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n") == Texts{"a", "a", " a", "\ta"});
    CHECK(data_of("data: a:b: c\n\n") == Texts{"a:b: c"});
  }
  SECTION("unknown fields and fields with a space or another case do not count") {
    CHECK(data_of("id: 1\nretry: 5\nfoo: bar\nbaz\ndata: x\n\n") == Texts{"x"});
    CHECK(data_of("data : x\n\n data: y\n\nDATA: z\n\nid: 3\n\n").empty());
  }
  SECTION("an event without data is none, nor is one with empty data") {
    CHECK(data_of("event: ping\n\nid: 1\n\ndata: x\n\ndata:\n\ndata\n\n") == Texts{"x"});
  }
  SECTION("the last event field names the event") {
    const std::vector<Kept> events = parse("event: a\ndata: 1\nevent: b\n\ndata: 2\n\n");
    REQUIRE(events.size() == 2);
    CHECK(events[0].event == "b");
    CHECK(events[0].data == "1");
    CHECK(events[1].event.empty());
  }
  SECTION("comments alone are given out as comments, beside data they are not seen") {
    const std::vector<Kept> events = parse(": ping\n:pong\n\n: note\ndata: x\n\n");
    REQUIRE(events.size() == 2);
    CHECK(events[0].is_comment);
    CHECK(events[0].data.empty());
    CHECK(events[0].raw == ": ping\n:pong\n\n");
    CHECK_FALSE(events[1].is_comment);
    CHECK(events[1].data == "x");
  }
  SECTION("NUL and bytes that are no UTF-8 pass") {
    CHECK(data_of(std::string("data: a\0b\xFF\n\n", 12)) == Texts{std::string("a\0b\xFF", 4)});
  }
}

TEST_CASE("an SSE stream is done by [DONE] alone", "[sse]") {
  CHECK(parse("data: [DONE]\n\n").at(0).is_done);
  CHECK(parse("data:[DONE]\r\n\r\n").at(0).is_done);
  CHECK_FALSE(parse("data: [DONE] \n\n").at(0).is_done);
  CHECK_FALSE(parse("data: x\ndata: [DONE]\n\n").at(0).is_done);
  CHECK(parse("event: [DONE]\n\n").empty());
}

TEST_CASE("at its end an SSE stream drops an unfinished event, but not [DONE]", "[sse]") {
  CHECK(data_of("data: one\n\ndata: two").size() == 1);
  CHECK(data_of("data: one\n\ndata: two\n").size() == 1);
  CHECK(data_of("data: one\n\n: ping").size() == 1);
  for (const std::string end : {"", "\n", "\r", "\r\n", "\n\r"}) {
    const std::vector<Kept> events = parse("data: one\n\ndata: [DONE]" + end);
    CAPTURE(end);
    REQUIRE(events.size() == 2);
    CHECK(events[1].is_done);
    CHECK(events[1].raw == "data: [DONE]" + end);
  }
  SECTION("a CR that ends the stream ends the event") {
    CHECK(data_of("data: one\n\r") == Texts{"one"});
    CHECK(data_of("data: one\r\r") == Texts{"one"});
  }
  SECTION("nothing comes after it, and bytes fed later are not read") {
    SseParser parser(100);
    parser.finish();
    CHECK_FALSE(parser.next());
    parser.feed("data: late\n\n");
    CHECK_FALSE(parser.next());
  }
}

TEST_CASE("an SSE event past the limit stops the parser for good", "[sse]") {
  SECTION("whole") {
    SseParser parser(20);
    parser.feed("data: short\n\ndata: much longer than that\n\ndata: x\n\n");
    CHECK(parser.next());
    CHECK_FALSE(parser.too_large());
    CHECK_FALSE(parser.next());
    CHECK(parser.too_large());
    parser.feed("data: x\n\n");
    CHECK_FALSE(parser.next());
  }
  SECTION("while it grows") {
    SseParser parser(20);
    parser.feed("data: 01234567890123");
    CHECK_FALSE(parser.next());
    CHECK_FALSE(parser.too_large());
    parser.feed("4");
    CHECK_FALSE(parser.next());
    CHECK(parser.too_large());
    parser.finish();
    CHECK_FALSE(parser.next());
  }
  SECTION("at its end") {
    SseParser parser(10);
    parser.feed("data: [DONE]");
    parser.finish();
    CHECK_FALSE(parser.next());
    CHECK(parser.too_large());
  }
  SECTION("one of just that size passes") {
    const std::string text = "data: 0123456789\n\n";
    CHECK(parse_pieces({text, text}, text.size()).size() == 2);
    CHECK(parse_pieces({text, text}, text.size() - 1).empty());
    CHECK(parse_pieces({text.substr(0, 9), text.substr(9)}, text.size()).size() == 1);
  }
}

namespace {

/// Processor time, in clocks, for two lines of this size that come byte by byte.
std::clock_t time_for_lines_of(std::size_t size) {
  const std::string body(size, 'x');
  const std::string text = "data: " + body + "\n\ndata: " + body + "\n\n";
  const std::clock_t began = std::clock();
  SseParser parser(1 << 20);
  std::vector<Kept> out;
  for (const char& byte : text) {
    parser.feed({&byte, 1});
    take_all(parser, out);
  }
  const std::clock_t took = std::clock() - began;
  REQUIRE(out.size() == 2);
  CHECK(out[1].data == body);
  return took;
}

}  // namespace

TEST_CASE("long SSE lines in tiny pieces take linear time", "[sse]") {
  const std::clock_t once = time_for_lines_of(12'000);
  CHECK(time_for_lines_of(16 * 12'000) < 64 * once);  // 16 times; by the square it would be 256
}

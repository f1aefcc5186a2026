// The parser of server-sent events held against a slow and simple one, over random bytes and cuts.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <llmroute/core/rng.hpp>
#include <llmroute/wire/sse_parser.hpp>

using llmroute::Rng;
using llmroute::wire::SseEvent;
using llmroute::wire::SseParser;

namespace {

struct Plain {
  std::string event{};
  std::string data{};
  friend bool operator==(const Plain&, const Plain&) = default;
};

std::ostream& operator<<(std::ostream& out, const Plain& event) {
  return out << "{event " << event.event << ", data " << event.data << "}";
}

/// The standard's own words, line by line over the whole text: every line end becomes one LF first.
std::vector<Plain> by_the_book(std::string text) {
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);
  std::string unified;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      unified += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      unified += '\n';
    }
  }
  std::vector<Plain> out;
  Plain event;
  bool any = false;
  for (std::size_t at = 0, end = 0; (end = unified.find('\n', at)) != std::string::npos;
       at = end + 1) {
    const std::string line = unified.substr(at, end - at);
    if (line.empty()) {
      if (!event.data.empty()) out.push_back(event);
      event = {};
      any = false;
      continue;
    }
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string name = line.substr(0, colon);
    std::string value = line.substr(std::min(colon + 1, line.size()));
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (name == "data") {
      if (any) event.data += '\n';
      event.data += value;
      any = true;
    }
    if (name == "event") event.event = value;
  }
  return out;
}

void take_all(SseParser& parser, std::vector<Plain>& out) {
  while (const std::optional<SseEvent> event = parser.next()) {
    if (!event->is_comment) out.push_back({std::string(event->event), std::string(event->data)});
  }
}

std::string random_text(Rng& rng) {
  static const std::vector<std::string> words{
      "data", "data:", "data: ", "event: ", ":",    " ",    "x",     "{}",
      "\n",   "\n",    "\r",     "\r\n",    "\n\n", "\r\r", "id: 1", "\xEF\xBB\xBF"};
  std::string text;
  const std::uint32_t length = rng.below(30);
  for (std::uint32_t i = 0; i < length; ++i) {
    text += words[rng.below(static_cast<std::uint32_t>(words.size()))];
  }
  return text;
}

}  // namespace

TEST_CASE("random SSE bytes in random pieces give what the standard says", "[sse]") {
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const std::string text = random_text(rng);
    std::vector<Plain> found;
    SseParser parser(1 << 20);
    for (std::size_t at = 0; at < text.size();) {
      std::string piece = text.substr(at, 1 + rng.below(12));
      at += piece.size();
      parser.feed(piece);
      take_all(parser, found);
      piece.assign(piece.size(), '#');  // what is not finished has been copied
    }
    parser.finish();
    take_all(parser, found);
    if (found != by_the_book(text)) CHECK(found == by_the_book(text));
  }
}

TEST_CASE("an SSE event of millions of CRs takes linear time", "[sse]") {
  constexpr std::size_t lines = 1'600'000;
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += "data\r";
  const auto began = std::chrono::steady_clock::now();
  SseParser parser(16 << 20);
  parser.feed(text);
  CHECK_FALSE(parser.next());
  parser.feed("\r\r");
  const std::optional<SseEvent> event = parser.next();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));  // minutes if squared
  REQUIRE(event);
  CHECK(event->data.size() == lines - 1);
}

// Server-sent events: the same ones whatever the pieces, and of the stream's own bytes.
#include <llmroute/wire/sse_parser.hpp>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using llmroute::wire::SseEvent;
using llmroute::wire::SseParser;

namespace {

constexpr std::size_t max_event = 512;

/// An event with bytes of its own.
struct Kept {
  std::string event, data, raw;
  bool is_comment = false;
  bool is_done = false;
  bool operator==(const Kept&) const = default;
};

struct Reader {
  SseParser parser{max_event};
  std::vector<Kept> events{};

  void drain() {
    while (const auto event = parser.next()) {
      events.push_back({std::string(event->event), std::string(event->data),
                        std::string(event->raw), event->is_comment, event->is_done});
    }
  }
  void feed(std::string_view bytes) {
    parser.feed(bytes);
    drain();
  }
  void finish() {
    parser.finish();
    drain();
  }
};

}  // namespace

LLMROUTE_FUZZ_TARGET(sse_parser) {
  const Pieces pieces(input);
  Reader whole;
  whole.feed(pieces.text());
  whole.finish();
  Reader cut;
  pieces.each([&](std::string_view piece) { cut.feed(std::string(piece)); });
  cut.finish();
  require(whole.events == cut.events, "the same events whatever the pieces");
  require(whole.parser.too_large() == cut.parser.too_large(), "the same limit");
  std::size_t size = 0;
  for (const Kept& event : whole.events) {
    require(event.raw.size() <= max_event + 3, "no event beyond the limit");
    require(pieces.text().find(event.raw, size) != std::string_view::npos, "bytes of the stream");
    size += event.raw.size();
  }
  require(size <= pieces.text().size(), "each byte in one event");
}

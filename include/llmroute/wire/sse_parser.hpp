/// Server-sent events from bytes that arrive in any pieces (WHATWG HTML, section 9.2), with the
/// bytes of each event kept so that it can be passed on as it came.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// Views are valid until the parser is asked for the next event or fed.
struct SseEvent {
  std::string_view event{};  ///< the `event:` field; empty: none
  std::string_view
      data{};  ///< the `data:` lines joined by LF; a part of `raw` where there is one line
  std::string_view raw{};   ///< all bytes of the event, blank line included
  bool is_comment = false;  ///< comment lines alone
  bool is_done = false;     ///< data is [DONE]
};

/// A push parser. Linear in the bytes fed, whatever their pieces. Not thread safe.
///
///     parser.feed(bytes);
///     while (auto event = parser.next()) use(*event);
class SseParser {
 public:
  explicit SseParser(std::size_t max_event) noexcept : max_event_(max_event) {}

  /// More bytes. Borrowed until next() gives none, which copies an unfinished event: so ask until
  /// then before feeding again.
  void feed(std::string_view bytes);

  /// No more bytes. `data: [DONE]` counts without its blank line; any other unfinished event is
  /// dropped.
  void finish();

  std::optional<SseEvent> next();

  /// An event grew past max_event; nothing more comes.
  bool too_large() const noexcept { return too_large_; }

 private:
  /// Finds line ends by memchr, which takes many bytes at a step: the next LF, remembered, then a
  /// CR in front of it. So each byte is looked at once for either, whatever ends the lines.
  class LineEnds {
   public:
    /// The first CR or LF at or behind `from`, else text.size(). `from` only grows.
    std::size_t find(std::string_view text, std::size_t from) noexcept;
    void forget() noexcept { lf_ = unknown; }  ///< the text is another one

   private:
    static constexpr std::size_t unknown = std::string_view::npos;
    std::size_t lf_ = unknown;
  };

  std::optional<SseEvent> usual_event();
  std::size_t find_event_end();
  void carry_rest();
  SseEvent parse(std::string_view raw);

  std::size_t max_event_;
  std::string carried_;         // a piece of an event, from earlier feeds
  std::string_view window_;     // what is being parsed: the bytes fed, or carried_
  std::size_t at_ = 0;          // first byte not yet given out
  std::size_t scanned_ = 0;     // first byte not yet looked at for the event's end
  std::size_t line_start_ = 0;  // of the line that scanned_ is in
  LineEnds ends_;               // of window_
  std::string joined_;          // data of more than one line
  bool began_ = false;
  bool finished_ = false;
  bool too_large_ = false;
};

}  // namespace llmroute::wire

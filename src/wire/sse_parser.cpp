#include <algorithm>
#include <llmroute/wire/sse_parser.hpp>

namespace llmroute::wire {

namespace {
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view done = "[DONE]";
}  // namespace

std::size_t SseParser::LineEnds::find(std::string_view text, std::size_t from) noexcept {
  if (lf_ == unknown || lf_ < from) lf_ = std::min(text.find('\n', from), text.size());
  return from + std::min(text.substr(from, lf_ - from).find('\r'), lf_ - from);
}

void SseParser::feed(std::string_view bytes) {
  if (too_large_ || finished_) return;
  if (at_ < window_.size()) {
    carry_rest();
    carried_.append(bytes);
    window_ = carried_;
  } else {
    carried_.clear();
    window_ = bytes;
    at_ = scanned_ = line_start_ = 0;
  }
  ends_.forget();
}

/// Moves what is left of an unfinished event to the front of a buffer of the parser's own.
void SseParser::carry_rest() {
  if (window_.data() == carried_.data()) {
    carried_.erase(0, at_);
  } else {
    carried_.assign(window_.substr(at_));
  }
  window_ = carried_;
  scanned_ -= std::min(at_, scanned_);
  line_start_ -= std::min(at_, line_start_);
  at_ = 0;
  ends_.forget();
}

void SseParser::finish() { finished_ = true; }

/// The position after the blank line that ends the event at at_, or npos. CR LF across two feeds: a
/// CR at the end of what there is waits for the next byte, unless nothing more comes.
std::size_t SseParser::find_event_end() {
  while (scanned_ < window_.size()) {
    const std::size_t end = ends_.find(window_, scanned_);
    if (end == window_.size()) {
      scanned_ = window_.size();
      break;
    }
    if (window_[end] == '\r' && end + 1 == window_.size() && !finished_) {
      scanned_ = end;
      break;
    }
    const bool pair = window_[end] == '\r' && end + 1 < window_.size() && window_[end + 1] == '\n';
    const std::size_t next = end + (pair ? 2 : 1);
    const bool blank = end == line_start_;
    scanned_ = line_start_ = next;
    if (blank) return next;
  }
  return std::string_view::npos;
}

/// Nearly every event is one data line and LF LF, all of it here: two looks for a byte settle it.
std::optional<SseEvent> SseParser::usual_event() {
  constexpr std::string_view opening = "data: ";
  const std::string_view rest = window_.substr(at_);
  if (scanned_ != at_ || !rest.starts_with(opening)) return std::nullopt;
  const std::size_t end = rest.find('\n');
  if (end == opening.size() || end >= rest.size() - 1 || rest[end + 1] != '\n') return std::nullopt;
  if (end + 2 > max_event_ || rest.substr(0, end).find('\r') != rest.npos) return std::nullopt;
  at_ = scanned_ = line_start_ = at_ + end + 2;
  const std::string_view data = rest.substr(opening.size(), end - opening.size());
  return SseEvent{.data = data, .raw = rest.substr(0, end + 2), .is_done = data == done};
}

std::optional<SseEvent> SseParser::next() {
  for (;;) {
    if (too_large_ || at_ >= window_.size()) return std::nullopt;
    if (began_) {
      if (std::optional<SseEvent> event = usual_event()) return event;
    }
    if (!began_) {
      const std::string_view head = window_.substr(at_, byte_order_mark.size());
      if (!finished_ && head.size() < byte_order_mark.size() &&
          head == byte_order_mark.substr(0, head.size())) {
        return carry_rest(), std::nullopt;
      }
      if (head == byte_order_mark) at_ += byte_order_mark.size();
      began_ = true;
      scanned_ = line_start_ = at_;
    }
    const std::size_t end = find_event_end();
    if (end == std::string_view::npos) {
      too_large_ = window_.size() - at_ > max_event_;
      if (too_large_) return std::nullopt;
      if (!finished_) return carry_rest(), std::nullopt;
      const SseEvent last = parse(window_.substr(at_));
      at_ = window_.size();
      return last.is_done ? std::optional(last) : std::nullopt;
    }
    const std::string_view raw = window_.substr(at_, end - at_);
    at_ = end;
    if (raw.size() > max_event_) {
      too_large_ = true;
      return std::nullopt;
    }
    const SseEvent event = parse(raw);
    if (!event.data.empty() || event.is_comment) return event;
  }
}

SseEvent SseParser::parse(std::string_view raw) {
  SseEvent event{.raw = raw};
  bool comment = false;
  int data_lines = 0;
  std::size_t at = 0;
  LineEnds ends;
  while (at < raw.size()) {
    const std::size_t end = ends.find(raw, at);
    const std::string_view line = raw.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (name.empty()) {
      comment = true;
    } else if (name == "data") {
      if (data_lines == 0) {
        event.data = value;
      } else {
        if (data_lines == 1) joined_.assign(event.data);
        joined_.append(1, '\n').append(value);
        event.data = joined_;
      }
      ++data_lines;
    } else if (name == "event") {
      event.event = value;
    }
  }
  event.is_done = event.data == done;
  event.is_comment = comment && data_lines == 0;
  return event;
}

}  // namespace llmroute::wire

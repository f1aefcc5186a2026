#include "layers/forward.hpp"

#include <algorithm>
#include <array>
#include <llmroute/wire/json_text.hpp>
#include <span>

namespace llmroute::detail {

bool offer(CallState& call, OpenAttempt& attempt, const Event& event) {
  if (!call.head_sent) {
    call.head_sent = true;
    const Headers& headers = attempt.transfer.headers();
    call.sink->head({.http_status = attempt.transfer.status(),
                     .headers = headers,
                     .node = attempt.ticket.node().config().name,
                     .request_id = call.request_id,
                     .attempts = static_cast<int>(call.attempts.size()) + 1,
                     .at_nodes = call.at_nodes.until(call.loop.now()),
                     .rate = call.rate});
  }
  return call.sink->offer(event);
}

namespace {

/// An event of one data line, kept in `text`.
Event event_of(std::string& text, std::string_view data) {
  text = "data: ";
  text += data;
  text += "\n\n";
  return {.data = std::string_view(text).substr(6, data.size()), .raw = text};
}

/// A piece of an event's data and what the caller sees in its place.
struct Patch {
  wire::Span at{};
  std::string_view text{};
};

/// `text` becomes `source` with the patches made; they stand `shift` bytes further on in it.
void patch(std::string& text, std::string_view source, std::size_t shift,
           std::span<const Patch> patches) {
  text.clear();
  std::size_t at = 0;
  for (const Patch& piece : patches) {
    text += source.substr(at, piece.at.offset + shift - at);
    text += piece.text;
    at = piece.at.offset + shift + piece.at.length;
  }
  text += source.substr(at);
}

}  // namespace

Event as_asked(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event,
               const wire::ChunkView& chunk) {
  std::array<Patch, 4> patches;
  std::size_t count = 0;
  const auto add = [&](wire::Span at, std::string_view text) {
    if (at.length != 0) patches[count++] = {at, text};
  };
  if (attempt.ticket.model_id() != call.pick.model) {
    if (attempt.shown_model.empty()) attempt.shown_model = wire::json_quote(call.pick.model);
    add({chunk.model_offset, chunk.model_length}, attempt.shown_model);
  }
  if (attempt.injects_ids) {  // as the node says it to those who have not asked
    add(chunk.token_ids_at, "null");
    add(chunk.prompt_token_ids_at, "null");
  }
  if (attempt.strips_running_usage) add(chunk.usage_at, "");
  if (count == 0) return {.data = event.data, .raw = event.raw};
  const std::span<Patch> made(patches.data(), count);
  std::sort(made.begin(), made.end(),
            [](const Patch& a, const Patch& b) { return a.at.offset < b.at.offset; });
  std::string& text = attempt.rewritten;
  const bool in_place =
      event.data.data() >= event.raw.data() &&
      event.data.data() + event.data.size() <= event.raw.data() + event.raw.size();
  if (!in_place) {
    std::string data;
    patch(data, event.data, 0, made);
    return event_of(text, data);
  }
  const auto data_at = static_cast<std::size_t>(event.data.data() - event.raw.data());
  patch(text, event.raw, data_at, made);
  const std::size_t data_size = event.data.size() + text.size() - event.raw.size();
  return {.data = std::string_view(text).substr(data_at, data_size), .raw = text};
}

std::optional<Event> joined(OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
                            const wire::ChunkView& chunk) {
  std::string data;
  switch (attempt.seam->take(event.data, kind, chunk, data)) {
    case Seam::Verdict::swallow:
      return std::nullopt;
    case Seam::Verdict::forward:
      return event_of(attempt.rewritten, data);
    case Seam::Verdict::diverged:
      attempt.fail(FailureKind::diverged, "another answer than the one that broke off");
      return std::nullopt;
  }
  return std::nullopt;
}

void note_delivered(CallState& call, const Event& event, const wire::ChunkView& chunk) {
  if ((chunk.has_content || chunk.finished_choices != 0) && !call.committed) {
    call.committed = true;
    call.first_content = call.elapsed();
  }
  call.ledger.note(event.data, chunk);
  if (chunk.has_content) ++call.delivered_events;
}

}  // namespace llmroute::detail

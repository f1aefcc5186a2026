#include "layers/forward.hpp"

#include <llmroute/wire/json_text.hpp>

namespace llmroute::detail {

bool offer(CallState& call, OpenAttempt& attempt, const Event& event) {
  if (!call.head_sent) {
    call.head_sent = true;
    const Headers& headers = attempt.transfer.headers();
    call.sink->head({.http_status = attempt.transfer.status(),
                     .headers = headers,
                     .node = attempt.ticket.node().config().name,
                     .request_id = call.request_id,
                     .attempts = static_cast<int>(call.attempts.size()) + 1});
  }
  return call.sink->offer(event);
}

Event as_asked(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event,
               const wire::ChunkView& chunk) {
  const bool in_place =
      event.data.data() >= event.raw.data() &&
      event.data.data() + event.data.size() <= event.raw.data() + event.raw.size();
  if (attempt.ticket.model_id() == call.pick.model || chunk.model_length == 0 || !in_place) {
    return {.data = event.data, .raw = event.raw};
  }
  const auto data_at = static_cast<std::size_t>(event.data.data() - event.raw.data());
  const std::size_t model_at = data_at + chunk.model_offset;
  std::string& text = attempt.rewritten;
  text.assign(event.raw.substr(0, model_at));
  text += wire::json_quote(call.pick.model);
  const std::size_t grown = text.size() - model_at;
  text += event.raw.substr(model_at + chunk.model_length);
  const std::size_t data_size = event.data.size() - chunk.model_length + grown;
  return {.data = std::string_view(text).substr(data_at, data_size), .raw = text};
}

void note_content(CallState& call, const wire::ChunkView& chunk) {
  if (!chunk.has_content) return;
  if (!call.committed) {
    call.committed = true;
    call.first_content = call.elapsed();
  }
  if (call.partial.size() < CallState::partial_limit) wire::append_text(call.partial, chunk);
}

}  // namespace llmroute::detail

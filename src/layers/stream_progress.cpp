#include "layers/stream_progress.hpp"

#include <algorithm>
#include <bit>
#include <llmroute/wire/message_event.hpp>
#include <llmroute/wire/response_event.hpp>

namespace llmroute::detail {

EventKind StreamProgress::take(const wire::SseEvent& event, wire::ChunkView& chunk) {
  if (event.is_comment) return EventKind::comment;
  if (event.is_done) return EventKind::done;
  chunk = dialect_ == Dialect::chunks ? shape_.read(event.data) : read(event.data);
  if (chunk.is_error || event.event == "error") return EventKind::failure;
  if (!chunk.json_ok) return EventKind::garbage;
  seen_ |= chunk.seen_choices;
  finished_ |= chunk.finished_choices;
  if (chunk.has_content) ++events_;
  if (chunk.has_usage) take_usage(chunk.usage);
  if (chunk.usage_only) return EventKind::usage;
  // A finish without content is an answer too: an empty one.
  return chunk.has_content || chunk.finished_choices != 0 ? EventKind::content
                                                          : EventKind::preamble;
}

wire::ChunkView StreamProgress::look_at(std::string_view data) const {
  return dialect_ == Dialect::chunks ? wire::read_chunk(data) : read(data);
}

wire::ChunkView StreamProgress::read(std::string_view data) const {
  return dialect_ == Dialect::responses ? wire::read_response_event(data)
                                        : wire::read_message_event(data);
}

/// The last word counts; of a message its end does not repeat what its beginning said of the
/// prompt.
void StreamProgress::take_usage(const Usage& usage) noexcept {
  const Usage before = usage_;
  usage_ = usage;
  if (dialect_ != Dialect::messages) return;
  usage_.prompt_tokens = std::max(usage.prompt_tokens, before.prompt_tokens);
  usage_.cached_tokens = std::max(usage.cached_tokens, before.cached_tokens);
  usage_.total_tokens = usage_.prompt_tokens + usage_.completion_tokens;
}

bool StreamProgress::complete() const noexcept {
  const int finished = std::popcount(finished_);
  return finished > 0 && finished_ == seen_ && finished >= std::min(expected_, 64);
}

}  // namespace llmroute::detail

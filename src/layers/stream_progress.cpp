#include "layers/stream_progress.hpp"

#include <algorithm>
#include <bit>
#include <llmroute/wire/response_event.hpp>

namespace llmroute::detail {

EventKind StreamProgress::take(const wire::SseEvent& event, wire::ChunkView& chunk) {
  if (event.is_comment) return EventKind::comment;
  if (event.is_done) return EventKind::done;
  chunk =
      dialect_ == Dialect::chunks ? shape_.read(event.data) : wire::read_response_event(event.data);
  if (chunk.is_error || event.event == "error") return EventKind::failure;
  if (!chunk.json_ok) return EventKind::garbage;
  seen_ |= chunk.seen_choices;
  finished_ |= chunk.finished_choices;
  if (chunk.has_content) ++events_;
  if (chunk.has_usage) usage_ = chunk.usage;
  if (chunk.usage_only) return EventKind::usage;
  // A finish without content is an answer too: an empty one.
  return chunk.has_content || chunk.finished_choices != 0 ? EventKind::content
                                                          : EventKind::preamble;
}

bool StreamProgress::complete() const noexcept {
  const int finished = std::popcount(finished_);
  return finished > 0 && finished_ == seen_ && finished >= std::min(expected_, 64);
}

}  // namespace llmroute::detail

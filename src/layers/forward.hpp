/// What of a stream the caller gets to see: the head once, then events, with the model's name put
/// back to what was asked.
#pragma once

#include "layers/open_attempt.hpp"

namespace llmroute::detail {

/// Hands one event to the caller, the head before the first. False: the caller keeps it, wait for
/// Drained before the next.
bool offer(CallState& call, OpenAttempt& attempt, const Event& event);

/// The event as the caller is to see it; may live in `attempt` until the next one.
Event as_asked(CallState& call, OpenAttempt& attempt, const wire::SseEvent& event,
               const wire::ChunkView& chunk);

/// Of a stream that goes on for another: what is new in it for the caller. None: nothing, or the
/// attempt has failed by saying something else.
std::optional<Event> joined(OpenAttempt& attempt, const wire::SseEvent& event, EventKind kind,
                            const wire::ChunkView& chunk);

/// Notes what is about to reach the caller: text delivered, first content.
void note_delivered(CallState& call, const Event& event, const wire::ChunkView& chunk);

}  // namespace llmroute::detail

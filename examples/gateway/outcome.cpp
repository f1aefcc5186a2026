/// The `call` line.
#include "outcome.hpp"

#include "gateway.hpp"

namespace gateway {

void report(Gateway& gateway, const Outcome& outcome) {
  gateway.metrics().request_ended(outcome.model, outcome.status, outcome.stream, outcome.time);
  if (!gateway.log().enabled(LogLevel::info)) return;
  gateway.log()
      .line(LogLevel::info, "call")
      .add("request_id", outcome.request_id)
      .add("model", outcome.model)
      .add("node", outcome.node)
      .add("attempts", outcome.attempts)
      .add("status", outcome.status)
      .add("stream", outcome.stream)
      .add("error", outcome.error)
      .add("first_content_ms", outcome.first_content)
      .add("total_ms", outcome.time);
}

}  // namespace gateway

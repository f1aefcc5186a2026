/// The `call` line; of a request that failed on this side an error.
#include "outcome.hpp"

#include <llmroute/wire/error_body.hpp>

#include "gateway.hpp"

namespace gateway {

void report(Gateway& gateway, const Outcome& outcome) {
  const std::string model =
      llmroute::wire::redacted(outcome.model);  // callers write what they like
  gateway.metrics().request_ended(model, outcome.status, outcome.stream, outcome.time);
  const LogLevel level = outcome.status >= 500 ? LogLevel::error : LogLevel::info;
  if (!gateway.log().enabled(level)) return;
  Log::Line line = gateway.log().line(level, "call");
  line.add("request_id", outcome.request_id)
      .add("model", model)
      .add("node", outcome.node)
      .add("attempts", outcome.attempts)
      .add("status", outcome.status)
      .add("stream", outcome.stream)
      .add("error", outcome.error)
      .add("ttft_ms", outcome.first_content)
      .add("duration_ms", outcome.time)
      .add("key_prefix", outcome.key_prefix)
      .add("client", outcome.client);
  if (outcome.usage == llmroute::Usage{}) return;  // the node has not counted
  line.add("tokens", outcome.usage.prompt_tokens + outcome.usage.completion_tokens)
      .add("prompt_tokens", outcome.usage.prompt_tokens)
      .add("completion_tokens", outcome.usage.completion_tokens);
}

}  // namespace gateway

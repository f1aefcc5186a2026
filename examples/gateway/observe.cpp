/// One line a failed attempt, one a change of a node. Good attempts show in the line of their call.
#include "observe.hpp"

#include <array>
#include <llmroute/wire/error_body.hpp>

namespace gateway {

void LogObserver::on_attempt(const llmroute::AttemptEvent& attempt) {
  if (!attempt.error || !log_.enabled(LogLevel::info)) return;
  log_.line(LogLevel::info, "attempt")
      .add("request_id", attempt.request_id)
      .add("model", llmroute::wire::redacted(attempt.model))  // callers write what they like
      .add("node", attempt.node)
      .add("key", attempt.key == 0 ? std::string() : fmt::format("#{}", attempt.key))
      .add("number", attempt.number)
      .add("rung", llmroute::name(attempt.rung))
      .add("error", llmroute::traits(*attempt.error).name)
      .add("reason", attempt.reason)
      .add("status", attempt.http_status)
      .add("ttft_ms", attempt.first_content)
      .add("duration_ms", attempt.time)
      .now();  // rare, and what an operator waits for
}

void LogObserver::on_node(const llmroute::NodeEvent& node) {
  static constexpr std::array<std::string_view, 5> kinds = {
      "healthy", "unhealthy", "breaker_opened", "breaker_half_open", "breaker_closed"};
  const bool bad = node.kind == llmroute::NodeEvent::Kind::unhealthy ||
                   node.kind == llmroute::NodeEvent::Kind::breaker_opened;
  log_.line(bad ? LogLevel::warn : LogLevel::info, "node")
      .add("node", node.node)
      .add("model", node.model)
      .add("change", kinds[static_cast<std::size_t>(node.kind)]);
}

}  // namespace gateway

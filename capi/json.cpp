#include "json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <llmroute/wire/json_text.hpp>

#include "usage.hpp"

namespace llmroute::capi {

namespace {

/// How many bytes of `text` are one character (RFC 3629); 0: the first is none.
std::size_t character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;  // no overlong forms
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;   // no surrogates
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

/// As a JSON string. Header fields and reasons may hold any bytes: what is no UTF-8 becomes U+FFFD.
std::string quoted(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t size = character(text);
    clean += size == 0 ? "\xEF\xBF\xBD" : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return wire::json_quote(clean);
}

/// An object or a list under construction.
class Writer {
 public:
  Writer& text(std::string_view name, std::string_view value) { return add(name, quoted(value)); }
  Writer& flag(std::string_view name, bool value) { return add(name, value ? "true" : "false"); }

  template <class Number>
  Writer& number(std::string_view name, Number value) {
    return add(name, fmt::format("{}", value));
  }
  Writer& number(std::string_view name, double value) {
    return add(name, std::isfinite(value) ? fmt::format("{}", value) : "null");
  }

  Writer& add(std::string_view name, std::string_view json) {
    fmt::format_to(std::back_inserter(out_), "{}\"{}\":{}", out_.empty() ? "" : ",", name, json);
    return *this;
  }

  std::string object() const { return "{" + out_ + "}"; }

 private:
  std::string out_;
};

/// `[write(element),...]`
template <class List, class F>
std::string list_of(const List& list, F&& write) {
  std::string out = "[";
  for (const auto& element : list) {
    if (out.size() > 1) out += ',';
    out += write(element);
  }
  return out += ']';
}

/// Writer makes null of what is no number.
double figure(std::optional<double> value) { return value.value_or(NAN); }

std::string report_json(const std::optional<NodeReport>& report) {
  if (!report) return "null";
  return Writer()
      .number("running", figure(report->load.running))
      .number("waiting", figure(report->load.waiting))
      .number("kv_cache_usage", figure(report->load.kv_cache_usage))
      .number("max_fds", figure(report->load.max_fds))
      .number("age_seconds", report->age_seconds)
      .object();
}

std::string node_json(const NodeSnapshot& node) {
  return Writer()
      .text("name", node.name)
      .text("url", node.url)
      .flag("healthy", node.healthy)
      .flag("draining", node.draining)
      .number("weight", node.weight)
      .number("capacity", node.capacity)
      .number("in_flight", node.in_flight)
      .number("requests", node.requests)
      .number("failures", node.failures)
      .number("connect_errors", node.connect_errors)
      .number("timeout_errors", node.timeout_errors)
      .number("status_errors", node.status_errors)
      .number("protocol_errors", node.protocol_errors)
      .number("latency_ewma_seconds", node.latency_ewma_seconds)
      .number("first_content_ewma_seconds", node.first_content_ewma_seconds)
      .number("latency_p50_seconds", figure(node.latency_p50_seconds))
      .number("latency_p95_seconds", figure(node.latency_p95_seconds))
      .number("first_content_p50_seconds", figure(node.first_content_p50_seconds))
      .number("first_content_p95_seconds", figure(node.first_content_p95_seconds))
      .text("breaker", node.breaker)
      .number("breaker_opened", node.breaker_opened)
      .number("breaker_retry_in_seconds", node.breaker_retry_in_seconds)
      .add("models", list_of(node.models, quoted))
      .number("keys", node.keys)
      .number("keys_resting", node.keys_resting)
      .add("reported", report_json(node.reported))
      .object();
}

std::string explained_node_json(const NodeExplanation& node) {
  return Writer()
      .text("node", node.node)
      .flag("admissible", node.admissible)
      .text("reason", node.reason)
      .number("score", node.score.value_or(NAN))
      .flag("picked", node.picked)
      .number("keys", node.keys)
      .number("keys_resting", node.keys_resting)
      .object();
}

std::string usage_json(const Usage& usage) {
  return Writer()
      .number("prompt_tokens", usage.prompt_tokens)
      .number("completion_tokens", usage.completion_tokens)
      .number("total_tokens", usage.total_tokens)
      .number("cached_tokens", usage.cached_tokens)
      .object();
}

std::string attempt_json(const AttemptRecord& attempt) {
  return Writer()
      .text("node", attempt.node)
      .add("error", attempt.error ? quoted(traits(*attempt.error).name) : "null")
      .number("http_status", attempt.http_status)
      .text("reason", attempt.reason)
      .number("time_us", microseconds(attempt.time))
      .text("rung", name(attempt.rung))
      .number("key", attempt.key)
      .add("usage", usage_json(attempt.usage))
      .object();
}

}  // namespace

std::string snapshot_json(const Snapshot& snapshot) {
  return Writer()
      .add("nodes", list_of(snapshot.nodes, node_json))
      .add("models", list_of(snapshot.models, quoted))
      .number("queue_depth", snapshot.queue_depth)
      .number("in_flight", snapshot.in_flight)
      .object();
}

std::string explanation_json(const Explanation& explanation) {
  return Writer()
      .text("model", explanation.model)
      .text("strategy", explanation.strategy)
      .add("nodes", list_of(explanation.nodes, explained_node_json))
      .object();
}

std::string names_json(std::span<const std::string> names) { return list_of(names, quoted); }

std::string attempts_json(std::span<const AttemptRecord> attempts) {
  return list_of(attempts, attempt_json);
}

}  // namespace llmroute::capi

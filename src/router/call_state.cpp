#include "router/call_state.hpp"

#include <algorithm>
#include <llmroute/wire/api_path.hpp>

#include "router/loop_state.hpp"
#include "router/router_core.hpp"

namespace llmroute::detail {

namespace {

/// Fifteen hex digits: unique enough for a log, short enough for a string without an allocation.
std::string make_request_id(Rng& rng) {
  std::string id(15, '0');
  std::uint64_t bits = rng();
  for (char& digit : id) {
    digit = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
  return id;
}

}  // namespace

CallState::CallState(RouterCore& router, LoopState& loop_state, net::Loop& event_loop,
                     const Request& asked, Sink* stream_sink)
    : core(router),
      local(loop_state),
      snapshot(loop_state.reader.snapshot()),
      settings(settings_of(*snapshot)),
      loop(event_loop),
      request(asked),
      path(wire::without_query(asked.path)),
      sink(stream_sink),
      body(asked.body),
      retries_left(asked.options.max_retries.value_or(config().router.max_retries)),
      started(event_loop.now()) {
  request_id = asked.options.request_id.empty() ? make_request_id(loop_state.rng)
                                                : std::string(asked.options.request_id);
  const Duration total = config().timeouts.total;
  const Duration limit = asked.options.deadline.value_or(total);
  if (limit > Duration::zero()) deadline = after(started, limit);
}

std::span<const Header> CallState::upstream_headers() {
  const bool retried = !attempts.empty();
  if (request.headers.empty() && request.options.request_id.empty() && !retried) return {};
  if (upstream.empty()) {
    if (!request.options.request_id.empty()) upstream.push_back({"x-request-id", request_id});
    for (const Header& field : request.headers) {
      if (!same_field_name(field.name, retry_count_field)) upstream.push_back(field);
    }
  }
  const std::string before(request.headers.find(retry_count_field).value_or(""));
  if (retried || !before.empty()) {
    const long made = std::strtol(before.c_str(), nullptr, 10) + static_cast<long>(attempts.size());
    if (!upstream.empty() && upstream.back().name == retry_count_field) upstream.pop_back();
    upstream.push_back({std::string(retry_count_field), std::to_string(made)});
  }
  return upstream;
}

Resume CallState::resume() const noexcept {
  return request.options.resume.value_or(config().router.resume);
}

Strategy& CallState::strategy() const noexcept { return core.strategy(settings, alias); }

const wire::Continuation& CallState::continuation() {
  if (!continuation_) continuation_ = wire::read_continuation(body);
  return *continuation_;
}

Error CallState::fail(ErrorCode code, std::string message) const {
  Error error{.code = code, .message = std::move(message)};
  if (!attempts.empty()) error.node = attempts.back().node;
  error.attempts = attempts;
  error.partial = ledger.text();
  error.usage = usage;
  error.request_id = request_id;
  error.rate = rate;
  error.at_nodes = at_nodes.until(loop.now());
  return error;
}

Reply CallState::reply(int http_status, Headers headers, std::string answer) {
  return {.http_status = http_status,
          .headers = std::move(headers),
          .body = std::move(answer),
          .node = attempts.empty() ? std::string{} : attempts.back().node,
          .model = std::string(pick.model),
          .request_id = request_id,
          .attempts = std::move(attempts),
          .usage = usage,
          .time = elapsed(),
          .at_nodes = at_nodes.until(loop.now()),
          .first_content = first_content,
          .rate = rate};
}

/// Most engines send a token an event. Of a whole answer the node's word is all there is.
std::int64_t CallState::tokens_spent(const Usage& counted) const noexcept {
  if (delivered_events == 0 && counted.total_tokens > 0) return counted.total_tokens;
  const std::int64_t prompt =
      counted.prompt_tokens > 0 ? counted.prompt_tokens : std::int64_t{pick.prompt_tokens};
  return std::max(counted.total_tokens, prompt + delivered_events);
}

}  // namespace llmroute::detail

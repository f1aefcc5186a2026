/// What a failure of an attempt means, as one table: whether to ask again, whom to blame, what the
/// caller is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/core/circuit_breaker.hpp>
#include <llmroute/error.hpp>
#include <string_view>

namespace llmroute {

/// Everything that can go wrong with one attempt.
enum class FailureKind : std::uint8_t {
  connect,                ///< refused, unreachable
  dns,                    ///< the node's name was not found
  tls,                    ///< handshake or certificate
  reset_before_headers,   ///< closed or reset before a response head
  timeout_connect,        ///< the `connect` clock
  timeout_headers,        ///< the `headers` clock
  timeout_first_content,  ///< the `first_content` clock
  timeout_response,       ///< the `response` clock
  timeout_attempt,        ///< the `attempt` clock
  server_error,           ///< 408, 5xx other than 501 and 505
  conflict,               ///< 409
  rate_limited,           ///< 429 with a reset, or without a reason
  quota,                  ///< 402; 429 insufficient_quota
  auth,                   ///< 401, 403
  model_not_found,        ///< 404 for the model
  absent_path,            ///< 404 for the path, 405, 501, 505
  rejected,               ///< 400, 413, 422 and every other 4xx
  context_length,         ///< the prompt does not fit the model
  content_filter,         ///< refused for its content
  redirected,             ///< 3xx: never followed
  error_body_in_200,      ///< an error object with status 200, or as a stream's first event
  not_json_in_200,        ///< status 200 and a body that is neither JSON nor an event stream
  not_streamed,           ///< a whole answer where a stream was asked for: the node has no streams
  truncated_body,         ///< a plain body cut short
  malformed_response,     ///< not HTTP as it should be: framing, header limits, status out of range
  stream_cut,             ///< a stream closed without finish_reason or [DONE]
  stream_stalled,         ///< the `idle` clock
  stream_garbled,         ///< events that cannot be read, or an error event in mid-stream
  diverged,               ///< a resumed stream is not the one that broke off
  too_large,              ///< an event or a body beyond its limit
  deadline,               ///< the call's own deadline, while this node was being waited for
  cancelled,              ///< by the caller
  forked,                 ///< the process was forked under the call
  shutting_down,          ///< the router is being destroyed
  internal,               ///< this side's fault
};

/// Who is charged. Scopes of breakers: a pair is one model on one node.
enum class Blame : std::uint8_t { nobody, node, pair, key };

/// The classes that node counters and metrics tell apart.
enum class FailureClass : std::uint8_t { none, connect, timeout, status, protocol };

/// What else the router notes down.
enum class Remember : std::uint8_t { nothing, model_absent, path_absent, key_rests };

/// One row.
struct FailureTraits {
  FailureKind kind;
  std::string_view name;  ///< for logs and metrics
  bool elsewhere;         ///< another node may be asked
  bool same_node;         ///< this node may be asked again when no other is left
  Blame blames;
  Verdict verdict;  ///< success: the node did its part, though the caller will not like the answer
  FailureClass failure_class;
  Remember remember;
  ErrorCode code;  ///< if it ends the call
};

// clang-format off
inline constexpr FailureTraits failure_table[] = {
#define LLMROUTE_ROW(kind, elsewhere, same, blames, verdict, class_, remember, code) \
  {FailureKind::kind, #kind, elsewhere, same, Blame::blames, Verdict::verdict, FailureClass::class_, Remember::remember, ErrorCode::code},
    // kind                elsewhere same  blames  verdict  class     remember      code
    LLMROUTE_ROW(connect,               true,  true,  node,   failure, connect,  nothing,      connect_failed)
    LLMROUTE_ROW(dns,                   true,  true,  node,   failure, connect,  nothing,      connect_failed)
    LLMROUTE_ROW(tls,                   true,  true,  node,   failure, connect,  nothing,      tls_failed)
    LLMROUTE_ROW(reset_before_headers,  true,  true,  node,   failure, connect,  nothing,      upstream_error)
    LLMROUTE_ROW(timeout_connect,       true,  true,  node,   failure, connect,  nothing,      connect_failed)
    // A silent pair is not asked twice by one call.
    LLMROUTE_ROW(timeout_headers,       true,  false, pair,   failure, timeout,  nothing,      upstream_timeout)
    LLMROUTE_ROW(timeout_first_content, true,  false, pair,   failure, timeout,  nothing,      upstream_timeout)
    LLMROUTE_ROW(timeout_response,      true,  false, pair,   failure, timeout,  nothing,      upstream_timeout)
    LLMROUTE_ROW(timeout_attempt,       true,  false, pair,   failure, timeout,  nothing,      upstream_timeout)
    LLMROUTE_ROW(server_error,          true,  true,  pair,   failure, status,   nothing,      upstream_error)
    LLMROUTE_ROW(conflict,              true,  true,  nobody, failure, status,   nothing,      node_rejected)
    LLMROUTE_ROW(rate_limited,          true,  true,  nobody, failure, status,   key_rests,    rate_limited)
    LLMROUTE_ROW(quota,                 true,  false, key,    failure, status,   key_rests,    node_rejected)
    LLMROUTE_ROW(auth,                  true,  false, key,    failure, status,   key_rests,    node_rejected)
    LLMROUTE_ROW(model_not_found,       true,  false, nobody, failure, status,   model_absent, model_not_found)
    LLMROUTE_ROW(absent_path,           true,  false, nobody, failure, status,   path_absent,  node_rejected)
    LLMROUTE_ROW(rejected,              false, false, nobody, success, status,   nothing,      node_rejected)
    LLMROUTE_ROW(context_length,        false, false, nobody, success, status,   nothing,      node_rejected)
    LLMROUTE_ROW(content_filter,        false, false, nobody, success, status,   nothing,      node_rejected)
    LLMROUTE_ROW(redirected,            true,  false, pair,   failure, status,   nothing,      bad_upstream)
    LLMROUTE_ROW(error_body_in_200,     true,  true,  pair,   failure, protocol, nothing,      upstream_error)
    LLMROUTE_ROW(not_json_in_200,       true,  true,  pair,   failure, protocol, nothing,      bad_upstream)
    LLMROUTE_ROW(not_streamed,          true,  false, nobody, success, protocol, nothing,      bad_upstream)
    LLMROUTE_ROW(truncated_body,        true,  true,  pair,   failure, protocol, nothing,      bad_upstream)
    LLMROUTE_ROW(malformed_response,    true,  true,  pair,   failure, protocol, nothing,      bad_upstream)
    // Of streams these hold before the first content; after it RetryPolicy refuses every blind retry.
    LLMROUTE_ROW(stream_cut,            true,  true,  pair,   failure, protocol, nothing,      stream_interrupted)
    LLMROUTE_ROW(stream_stalled,        true,  false, pair,   failure, timeout,  nothing,      stream_interrupted)
    LLMROUTE_ROW(stream_garbled,        true,  true,  pair,   failure, protocol, nothing,      stream_interrupted)
    // The node did its part: its answer to the same question is another one.
    LLMROUTE_ROW(diverged,              true,  false, nobody, success, none,     nothing,      stream_interrupted)
    LLMROUTE_ROW(too_large,             false, false, nobody, failure, protocol, nothing,      bad_upstream)
    // The call has run out of time; the node that kept it waiting is charged.
    LLMROUTE_ROW(deadline,              false, false, pair,   failure, timeout,  nothing,      deadline_exceeded)
    LLMROUTE_ROW(cancelled,             false, false, nobody, failure, none,     nothing,      cancelled)
    LLMROUTE_ROW(forked,                false, false, nobody, failure, none,     nothing,      forked)
    LLMROUTE_ROW(shutting_down,         false, false, nobody, failure, none,     nothing,      shutting_down)
    LLMROUTE_ROW(internal,              false, false, nobody, failure, none,     nothing,      internal)
#undef LLMROUTE_ROW
};
// clang-format on

/// The row of a kind.
constexpr const FailureTraits& traits(FailureKind kind) noexcept {
  return failure_table[static_cast<std::size_t>(kind)];  // in the enum's order; a test holds that
}

/// What a response status means when its body says nothing more exact (a 404 is about the path
/// then, and a 429 a rate limit). For statuses other than 2xx.
constexpr FailureKind failure_of_status(int status) noexcept {
  switch (status) {
    case 401:
    case 403:
      return FailureKind::auth;
    case 402:
      return FailureKind::quota;
    case 404:
    case 405:
    case 501:
    case 505:
      return FailureKind::absent_path;
    case 408:
      return FailureKind::server_error;
    case 409:
      return FailureKind::conflict;
    case 429:
      return FailureKind::rate_limited;
    default:
      break;
  }
  if (status >= 500 && status <= 599) return FailureKind::server_error;
  if (status >= 400 && status <= 499) return FailureKind::rejected;
  if (status >= 300 && status <= 399) return FailureKind::redirected;
  return FailureKind::malformed_response;
}

}  // namespace llmroute

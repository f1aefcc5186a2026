/// What can end a call other than an answer, as one table and one type.
#pragma once

#include <cstdint>
#include <exception>
#include <llmroute/core/rate_limit.hpp>
#include <llmroute/core/time.hpp>
#include <llmroute/headers.hpp>
#include <llmroute/usage.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute {

/// The one table of error codes. Columns: name, number (never reused), HTTP status an OpenAI client
/// should see, OpenAI's `type`, OpenAI's `code`. The enum, the texts, the C constants and the
/// gateway's answers come from it.
#define LLMROUTE_ERROR_CODES(X)                                           \
  X(invalid_argument, 1, 400, "invalid_request_error", "invalid_request") \
  X(invalid_config, 2, 500, "server_error", "invalid_config")             \
  X(model_not_found, 3, 404, "not_found_error", "model_not_found")        \
  X(node_rejected, 4, 400, "invalid_request_error", "upstream_rejected")  \
  X(rate_limited, 5, 429, "rate_limit_error", "rate_limit_exceeded")      \
  X(queue_full, 6, 503, "server_error", "queue_full")                     \
  X(queue_timeout, 7, 503, "server_error", "queue_timeout")               \
  X(no_healthy_node, 8, 503, "server_error", "no_healthy_node")           \
  X(connect_failed, 9, 502, "server_error", "upstream_error")             \
  X(tls_failed, 10, 502, "server_error", "upstream_error")                \
  X(upstream_timeout, 11, 504, "server_error", "upstream_timeout")        \
  X(upstream_error, 12, 502, "server_error", "upstream_error")            \
  X(bad_upstream, 13, 502, "server_error", "upstream_error")              \
  X(stream_interrupted, 14, 502, "server_error", "stream_interrupted")    \
  X(deadline_exceeded, 15, 504, "server_error", "deadline_exceeded")      \
  X(cancelled, 16, 499, "server_error", "cancelled")                      \
  X(forked, 17, 500, "server_error", "forked")                            \
  X(shutting_down, 18, 503, "server_error", "shutting_down")              \
  X(internal, 19, 500, "server_error", "internal_error")

enum class ErrorCode : std::int32_t {
#define LLMROUTE_X(name, number, status, type, code) name = (number),
  LLMROUTE_ERROR_CODES(LLMROUTE_X)
#undef LLMROUTE_X
};

/// One row of the table.
struct ErrorTraits {
  ErrorCode code;
  std::string_view name;         ///< as spelled in C++ and C
  int http_status;               ///< what an OpenAI client should see
  std::string_view openai_type;  ///< `error.type`
  std::string_view openai_code;  ///< `error.code`
};

/// The row of a code.
constexpr const ErrorTraits& traits(ErrorCode code) noexcept;

/// How an attempt goes on with a stream whose node died after its first content.
enum class Rung : std::uint8_t {
  none,    ///< it does not: nothing had been delivered before
  ids,     ///< from the token ids of what was delivered
  replay,  ///< the whole answer again, what equals the delivered part swallowed
  prefill  ///< the delivered text as the beginning of the answer
};

/// "ids", "replay", "prefill"; empty for none.
constexpr std::string_view name(Rung rung) noexcept {
  constexpr std::string_view names[] = {"", "ids", "replay", "prefill"};
  return names[static_cast<std::size_t>(rung)];
}

/// One try of one node, successful or not, as the caller may read it afterwards.
struct AttemptRecord {
  std::string node;
  std::optional<ErrorCode> error;  ///< empty: it answered
  int http_status = 0;             ///< 0: no response head came
  std::string reason;              ///< "503", "connect refused", ... in words for a log line
  Duration time{};                 ///< from its start to its end
  Rung rung = Rung::none;
  Usage usage{};  ///< as the node counted it; of a stream that broke, the events with content
  int key = 0;    ///< which of the node's keys was sent, from 1; 0: it has not got several
};

/// Why a call did not end with a whole answer.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message{};  ///< what was tried, where, and what came of it; never a secret
  int http_status = 0;    ///< as the node sent it; 0: no node's answer
  std::string node{};     ///< the last node asked
  std::vector<AttemptRecord> attempts{};  ///< in order
  std::optional<Duration> retry_after{};  ///< when asking again makes sense
  std::string param{};                    ///< the field at fault, for invalid_argument
  std::string partial{};                  ///< text delivered before a stream died
  std::string body{};                     ///< the node's own error body, verbatim
  Headers headers{};                      ///< the node's response fields
  Usage usage{};                          ///< what had been used when it ended, as far as known
  std::string request_id{};               ///< as in Reply
  RateReport rate{};                      ///< as in Reply
  Duration at_nodes{};                    ///< as in Reply
  std::exception_ptr thrown{};  ///< what ended it where that was an exception: a strategy's

  /// The status an OpenAI client should see: the node's own for a refused request, else the
  /// table's.
  int client_status() const noexcept {
    return code == ErrorCode::node_rejected && http_status != 0 ? http_status
                                                                : traits(code).http_status;
  }
};

/// Thrown by Result::value(): the way out for those who prefer exceptions.
class Exception : public std::runtime_error {
 public:
  explicit Exception(Error error) : std::runtime_error(error.message), error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// Thrown by constructors that are given a configuration they cannot run.
class ConfigError : public Exception {
 public:
  using Exception::Exception;
};

inline constexpr ErrorTraits error_table[] = {
#define LLMROUTE_X(name, number, status, type, code) {ErrorCode::name, #name, status, type, code},
    LLMROUTE_ERROR_CODES(LLMROUTE_X)
#undef LLMROUTE_X
};

constexpr const ErrorTraits& traits(ErrorCode code) noexcept {
  return error_table[static_cast<std::size_t>(code) -
                     1];  // numbers are 1.. without gaps; a test holds that
}

}  // namespace llmroute

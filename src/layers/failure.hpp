/// What came of an attempt that failed, in the terms of the failure table.
#pragma once

#include <llmroute/core/failure.hpp>
#include <llmroute/error.hpp>
#include <llmroute/headers.hpp>
#include <optional>
#include <string>

#include "net/http_transfer.hpp"

namespace llmroute::detail {

/// One failed attempt: its row of the table, and what the caller may want to see of it.
struct AttemptFailure {
  FailureKind kind{};
  int http_status = 0;   ///< 0: no response head came
  std::string reason{};  ///< a few words: "503", "connect refused", "no first content in 2 s"
  std::string body{};    ///< the node's error body, verbatim
  Headers headers{};     ///< the node's response fields
  std::optional<Duration> retry_after{};
  std::optional<bool> should_retry{};  ///< the node's own word (x-should-retry)
};

/// Whether a status promises an answer.
constexpr bool is_success(int status) noexcept { return status >= 200 && status < 300; }

/// The transport broke.
AttemptFailure failure_of(const net::TransferError& error, int http_status);

/// A response whose status is not a success, with its whole body.
AttemptFailure failure_of(int http_status, Headers headers, std::string body);

/// A clock ran out. `clock` names it for the message.
AttemptFailure timeout_failure(FailureKind kind, std::string_view clock, Duration limit);

}  // namespace llmroute::detail

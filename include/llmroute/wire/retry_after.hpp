/// When a node says it may be asked again.
#pragma once

#include <chrono>
#include <llmroute/headers.hpp>
#include <optional>

namespace llmroute::wire {

/// The wait a response asks for, by the first of: retry-after-ms, x-ms-retry-after-ms, Retry-After
/// (seconds or one of the three HTTP dates), x-ratelimit-reset-requests and -tokens ("12ms",
/// "6m0s", RFC 3339). What makes no sense is ignored.
std::optional<std::chrono::nanoseconds> retry_after(const Headers& headers,
                                                    std::chrono::system_clock::time_point wall_now);

/// x-should-retry, where it is there and true or false.
std::optional<bool> should_retry(const Headers& headers);

}  // namespace llmroute::wire

/// Whether a failed attempt is followed by another, where, and after how long. The meaning of
/// failures is the table in failure.hpp; this adds the limits of one call: how many, until when,
/// and what the node itself asked for.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <llmroute/core/failure.hpp>
#include <llmroute/core/rng.hpp>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

struct RetryOptions {
  int max_retries = 2;  ///< extra attempts of one call, over all nodes
  Duration backoff = std::chrono::milliseconds(500);  ///< first wait before the same node; doubles
};

/// What there is to know after an attempt failed.
struct FailedAttempt {
  FailureKind failure = FailureKind::internal;
  int retries = 0;                        ///< how many retries this call has made
  int same_node_retries = 0;              ///< how many of them asked again the node that failed now
  bool committed = false;                 ///< content has reached the caller
  bool other_node = true;                 ///< a node that this call has not tried yet can be asked
  std::optional<Duration> retry_after{};  ///< what the response asked for
  std::optional<bool> should_retry{};     ///< x-should-retry, if it was there
  Time deadline = never;
};

struct RetryDecision {
  enum class Action : std::uint8_t { stop, elsewhere, same_node };
  Action action = Action::stop;
  Duration wait{};
};

/// A plain value; const functions, so one serves all loops.
class RetryPolicy {
 public:
  static constexpr Duration longest_backoff = std::chrono::seconds(8);
  static constexpr Duration longest_retry_after = std::chrono::seconds(120);

  explicit RetryPolicy(const RetryOptions& options = {}) noexcept : options_(options) {}

  /// Another node is asked at once. The same node only when no other is left: after Retry-After if
  /// it gave one, else after the backoff. No retry when Retry-After exceeds 120 s, when the wait
  /// reaches past the deadline, when content has been delivered, or when the call has used up its
  /// retries. The budget of the router is asked separately (RetryBudget).
  RetryDecision decide(const FailedAttempt& attempt, Rng& rng, Time now) const noexcept;

  /// min(backoff x 2^n, 8 s) x (1 - 0.25 U): n counts from 0; U is uniform in [0, 1).
  Duration backoff(int n, Rng& rng) const noexcept;

 private:
  bool may_retry(const FailedAttempt& attempt, bool by_table) const noexcept;

  RetryOptions options_;
};

inline Duration RetryPolicy::backoff(int n, Rng& rng) const noexcept {
  const double doubled = std::ldexp(seconds(options_.backoff), std::clamp(n, 0, 62));
  const double wait = std::min(doubled, seconds(longest_backoff)) * (1 - 0.25 * rng.unit());
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wait));
}

/// x-should-retry outranks the table, but nothing outranks a call that is over or committed.
inline bool RetryPolicy::may_retry(const FailedAttempt& attempt, bool by_table) const noexcept {
  if (attempt.committed || attempt.retries >= options_.max_retries) return false;
  if (traits(attempt.failure).failure_class == FailureClass::none) return false;
  if (attempt.failure == FailureKind::deadline) return false;
  return attempt.should_retry.value_or(by_table);
}

inline RetryDecision RetryPolicy::decide(const FailedAttempt& attempt, Rng& rng,
                                         Time now) const noexcept {
  using Action = RetryDecision::Action;
  const FailureTraits& row = traits(attempt.failure);
  if (now >= attempt.deadline) return {};
  if (attempt.other_node) {
    return {may_retry(attempt, row.elsewhere) ? Action::elsewhere : Action::stop, Duration{}};
  }
  if (!may_retry(attempt, row.same_node)) return {};
  if (attempt.retry_after.value_or(Duration{}) > longest_retry_after) return {};
  const Duration wait =
      attempt.retry_after ? *attempt.retry_after : backoff(attempt.same_node_retries, rng);
  if (after(now, wait) >= attempt.deadline) return {};
  return {Action::same_node, wait};
}

}  // namespace llmroute

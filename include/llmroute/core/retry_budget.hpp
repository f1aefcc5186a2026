/// How many retries the whole router may make, so that failing nodes are not buried under repeats.
/// After Finagle's retry budget: a bucket that every started call adds a fraction to and every
/// retry, resume or fallback takes one from.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <llmroute/core/time.hpp>

namespace llmroute {

struct RetryBudgetOptions {
  double retry_budget = 0.2;  ///< tokens per started call
  double retry_floor = 1;     ///< tokens a second while calls bring fewer
};

/// Thread safe. The bucket holds at most max(10, calls in flight) tokens and starts full, so over
/// any span retries <= retry_budget x calls + bucket, or with few calls retry_floor x seconds +
/// bucket.
class RetryBudget {
 public:
  explicit RetryBudget(const RetryBudgetOptions& options = {},
                       std::size_t calls_in_flight = 0) noexcept;

  /// A call starts. `calls_in_flight` widens the bucket of a busy router.
  void deposit(Time now, std::size_t calls_in_flight = 0) noexcept;

  /// True, and a token less, when a retry is affordable.
  bool take(Time now) noexcept;

  /// Whole and part tokens left; for snapshots.
  double tokens() const noexcept {
    return static_cast<double>(balance_.load(std::memory_order_relaxed)) / token;
  }

 private:
  static constexpr std::int64_t token = 1'000'000;  // fixed point: atomics add integers
  static std::int64_t capacity(std::size_t calls_in_flight) noexcept;
  void add(std::int64_t amount) noexcept;
  void top_up(Time now) noexcept;

  std::int64_t deposit_;
  double floor_;
  std::atomic<std::int64_t> capacity_;
  std::atomic<std::int64_t> balance_;
  std::atomic<std::int64_t> deposited_{0};  // since the last top-up
  std::atomic<Duration::rep> topped_up_{0};
};

inline RetryBudget::RetryBudget(const RetryBudgetOptions& options,
                                std::size_t calls_in_flight) noexcept
    : deposit_(static_cast<std::int64_t>(options.retry_budget * token)),
      floor_(options.retry_floor),
      capacity_(capacity(calls_in_flight)),
      balance_(capacity(calls_in_flight)) {}

inline std::int64_t RetryBudget::capacity(std::size_t calls_in_flight) noexcept {
  return static_cast<std::int64_t>(std::clamp<std::size_t>(calls_in_flight, 10, 1'000'000)) * token;
}

inline void RetryBudget::deposit(Time now, std::size_t calls_in_flight) noexcept {
  top_up(now);
  capacity_.store(capacity(calls_in_flight), std::memory_order_relaxed);
  deposited_.fetch_add(deposit_, std::memory_order_relaxed);
  add(deposit_);
}

inline bool RetryBudget::take(Time now) noexcept {
  top_up(now);
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  while (balance >= token) {
    if (balance_.compare_exchange_weak(balance, balance - token, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

/// Adds up to the capacity; what a wider bucket once held stays until it is spent.
inline void RetryBudget::add(std::int64_t amount) noexcept {
  const std::int64_t full = capacity_.load(std::memory_order_relaxed);
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  while (balance < full) {
    const std::int64_t wanted = std::min(balance + amount, full);
    if (balance_.compare_exchange_weak(balance, wanted, std::memory_order_relaxed)) return;
  }
}

/// Once a second or less often: what the floor promises for the time gone by, less what calls have
/// brought. Shorter spans would take every gap between two calls for a time without any.
inline void RetryBudget::top_up(Time now) noexcept {
  const Duration::rep current = now.time_since_epoch().count();
  Duration::rep last = topped_up_.load(std::memory_order_relaxed);
  if (last == 0) {  // the first moment seen starts the clock
    topped_up_.compare_exchange_strong(last, current, std::memory_order_relaxed);
    return;
  }
  const Duration gone{current - last};
  if (gone < std::chrono::seconds(1)) return;
  if (!topped_up_.compare_exchange_strong(last, current, std::memory_order_relaxed)) return;
  const double span = std::min(seconds(gone), 3600.0);
  const std::int64_t brought = deposited_.exchange(0, std::memory_order_relaxed);
  const std::int64_t owed = static_cast<std::int64_t>(floor_ * span * token) - brought;
  if (owed > 0) add(owed);
}

}  // namespace llmroute

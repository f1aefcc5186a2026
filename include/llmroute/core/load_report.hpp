/// What a node says about its own load, and how picks read it.
#pragma once

#include <algorithm>
#include <atomic>
#include <llmroute/core/time.hpp>
#include <optional>

namespace llmroute {

/// One report. What the node did not say is none: nobody knows, which is not the same as nothing.
struct LoadReport {
  std::optional<double> running{};         ///< requests in the batch
  std::optional<double> waiting{};         ///< requests in the node's own queue
  std::optional<double> kv_cache_usage{};  ///< share in use, 0..1
  std::optional<double> max_fds{};         ///< descriptors the process may open

  bool tells_load() const noexcept { return running || waiting; }
  bool empty() const noexcept { return !tells_load() && !kv_cache_usage && !max_fds; }
};

/// A report with the moment it came and the one from which it is too old to go by.
struct TimedReport {
  LoadReport report{};
  Time at{};
  Time valid_until{};
};

/// A request in the batch is worth three that wait: it holds memory and computes.
inline constexpr double running_weight = 3;

/// The work that others have put on a node: its report less what this process had there. What this
/// process has there now is added by whoever reads, so that calls sent since the report count.
/// Written under the node's lock, read by any thread; of two reports in a row a reader may see the
/// work of one with the age of the other.
class OthersLoad {
 public:
  /// `own`: the calls this process had there when the report was asked for.
  void set(const LoadReport& report, int own, Time valid_until) noexcept {
    const double work = report.running.value_or(0) * running_weight + report.waiting.value_or(0);
    work_.store(std::max(0.0, work - running_weight * own), std::memory_order_relaxed);
    valid_until_.store(valid_until.time_since_epoch().count(), std::memory_order_relaxed);
  }

  bool known(Time now) const noexcept {
    return now < Time{Duration{valid_until_.load(std::memory_order_relaxed)}};
  }
  double work() const noexcept { return work_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> work_{0};
  std::atomic<Duration::rep> valid_until_{Time::min().time_since_epoch().count()};
};

}  // namespace llmroute

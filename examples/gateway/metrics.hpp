/// The eight documented metrics in Prometheus' text format. What the router counts anyway is read
/// from its snapshot; what a caller saw is counted here, by atomics, when a request ends.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <llmroute/router.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gateway {

/// Upper bounds of request_latency_seconds; one more bucket, +Inf, follows.
inline constexpr std::array latency_bounds = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1.0,
                                              2.5,   5.0,  10.0,  30.0, 60.0, 120.0, 300.0, 600.0};

/// Why a request was turned away without asking a node. In the order of the label's values.
enum class Rejection : std::uint8_t { queue_full, queue_timeout, rate_limit, no_node, draining };

/// Thread safe. Labels are bounded: a model has a series of its own when it is configured or a node
/// has answered for it (a hundred of these at most), else it is "other".
class Metrics final : public llmroute::Observer {
 public:
  /// These models are configured.
  void know(const std::vector<std::string>& models);

  /// A routed request is over, as its caller saw it.
  void request_ended(std::string_view model, int status, bool stream, llmroute::Duration time);

  void rejected(Rejection reason) noexcept {
    rejected_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  }

  void on_attempt(const llmroute::AttemptEvent& attempt) override;

  /// Requests ended so far.
  std::uint64_t requests() const;

  /// The page of GET /metrics.
  std::string text(const llmroute::Snapshot& snapshot) const;

 private:
  static constexpr std::size_t statuses = 5;
  static constexpr std::size_t max_learnt = 100;

  struct Histogram {
    std::array<std::atomic<std::uint64_t>, latency_bounds.size() + 1> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};
    void add(llmroute::Duration time) noexcept;
  };

  /// All there is of one model; the second index is 1 for streams.
  struct Series {
    std::array<std::array<std::atomic<std::uint64_t>, 2>, statuses> requests{};
    std::array<Histogram, 2> latency{};
  };

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using AllSeries = std::unordered_map<std::string, std::unique_ptr<Series>, Hash, std::equal_to<>>;

  Series& series(std::string_view model, bool answered);
  void append_requests(std::string& out) const;
  void append_latency(std::string& out) const;
  void append_upstream_errors(std::string& out) const;

  mutable std::shared_mutex series_lock_;
  AllSeries series_;
  std::size_t learnt_ = 0;
  Series other_;
  std::array<std::atomic<std::uint64_t>, 5> rejected_{};
  mutable std::mutex errors_lock_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> upstream_errors_;  // node, code
};

/// A label's value with what the text format reserves escaped.
std::string label_value(std::string_view text);

}  // namespace gateway

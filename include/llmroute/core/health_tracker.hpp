/// Whether a node is fit to be asked: what probes say, what its calls say, and how carefully it is
/// taken back.
#pragma once

#include <algorithm>
#include <chrono>
#include <llmroute/core/rng.hpp>
#include <llmroute/core/sliding_window.hpp>
#include <llmroute/core/time.hpp>
#include <string>

namespace llmroute {

/// The keys of [health].
struct HealthOptions {
  bool active = false;           ///< send probes; the router's part
  std::string path = "/health";  ///< on the node's origin
  Duration interval = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(5);
  int healthy_threshold = 3;  ///< probes in a row
  int unhealthy_threshold = 3;
  double min_success_rate = 0;   ///< of calls over `window`; 0: off
  Duration max_response_time{};  ///< mean over `window`; 0: off
  int min_requests = 10;         ///< below it the window says nothing
  Duration window = std::chrono::seconds(60);
  Duration base_ejection = std::chrono::seconds(30);  ///< times the number of ejections
  Duration max_ejection = std::chrono::seconds(300);
  double max_ejected = 0.5;  ///< of the nodes, at least one; read by NodePool
  Duration slow_start = std::chrono::seconds(30);
  Duration metrics_interval = std::chrono::seconds(5);  ///< of load reports; the router's part

  friend bool operator==(const HealthOptions&, const HealthOptions&) = default;
};

/// Not thread safe: the node's lock guards it. A new node is healthy until probes say otherwise.
class HealthTracker {
 public:
  explicit HealthTracker(const HealthOptions& options = {})
      : healthy_threshold_(options.healthy_threshold),
        unhealthy_threshold_(options.unhealthy_threshold),
        min_success_rate_(options.min_success_rate),
        max_response_time_(options.max_response_time),
        min_requests_(options.min_requests),
        base_ejection_(options.base_ejection),
        max_ejection_(options.max_ejection),
        slow_start_(options.slow_start),
        window_(options.window) {}

  /// The result of an active probe. True: healthy() changed.
  bool probed(bool ok, Time now) noexcept;

  /// The result of a call that says something about the node, and how long it took to respond.
  void called(bool ok, Duration response_time, Time now) noexcept {
    window_.add(!ok, response_time, now);
  }

  /// Its calls fail or crawl beyond what the options allow. NodePool ejects it then, if enough
  /// others are left.
  bool outlier(Time now) const noexcept;

  /// Keeps it out for base_ejection times the number of ejections, at most max_ejection, less up to
  /// a quarter by chance so that nodes ejected together do not return together. Time spent well
  /// makes the number small again.
  void eject(Rng& rng, Time now) noexcept;

  bool healthy() const noexcept { return healthy_; }
  bool ejected(Time now) const noexcept { return now < ejected_until_; }
  Time ejected_until() const noexcept { return ejected_until_; }
  int ejections() const noexcept { return ejections_; }

  /// Fit to be asked.
  bool in(Time now) const noexcept { return healthy_ && !ejected(now); }

  /// It comes back into use: slow start begins. Probes and ejections do this by themselves.
  void returned(Time now) noexcept { returned_at_ = now; }

  /// What its weight is multiplied by: from 0.1 rising to 1 over slow_start after it came back.
  double weight_factor(Time now) const noexcept;

 private:
  int healthy_threshold_;
  int unhealthy_threshold_;
  double min_success_rate_;
  Duration max_response_time_;
  int min_requests_;
  Duration base_ejection_;
  Duration max_ejection_;
  Duration slow_start_;
  SlidingWindow window_;
  bool healthy_ = true;
  int in_a_row_ = 0;  // probes that contradict healthy_
  int ejections_ = 0;
  Time ejected_until_ = Time::min();
  Time returned_at_ = Time::min();
};

inline bool HealthTracker::probed(bool ok, Time now) noexcept {
  if (ok == healthy_) return in_a_row_ = 0, false;
  if (++in_a_row_ < (healthy_ ? unhealthy_threshold_ : healthy_threshold_)) return false;
  healthy_ = ok;
  in_a_row_ = 0;
  if (ok) returned(now);
  return true;
}

inline bool HealthTracker::outlier(Time now) const noexcept {
  if (ejected(now)) return false;
  const SlidingWindow::Totals seen = window_.totals(now);
  if (seen.count < static_cast<std::uint32_t>(std::max(min_requests_, 1))) return false;
  if (min_success_rate_ > 0 && 1 - seen.failure_rate() < min_success_rate_) return true;
  return max_response_time_ > Duration{} && seen.mean_seconds() > seconds(max_response_time_);
}

inline void HealthTracker::eject(Rng& rng, Time now) noexcept {
  if (ejections_ > 0 && base_ejection_ > Duration{}) {
    const auto well =
        (now - ejected_until_) / base_ejection_;  // one forgiven per base_ejection spent in use
    ejections_ = static_cast<int>(std::max<Duration::rep>(0, ejections_ - well));
  }
  ++ejections_;
  const Duration full = std::min(base_ejection_ * ejections_, max_ejection_);
  const double share = 1 - 0.25 * rng.unit();
  ejected_until_ = now + std::chrono::duration_cast<Duration>(full * share);
  returned_at_ = ejected_until_;
  window_.clear();  // what led here is paid for
}

inline double HealthTracker::weight_factor(Time now) const noexcept {
  constexpr double start = 0.1;
  if (returned_at_ == Time::min() || slow_start_ <= Duration{}) return 1;
  if (now <= returned_at_) return start;
  const double share = seconds(now - returned_at_) / seconds(slow_start_);
  return share >= 1 ? 1 : start + (1 - start) * share;
}

}  // namespace llmroute

/// How long answers take: a simple model of an engine. Prompts are worked through one after the
/// other (prefill is bound by compute), tokens come in steps shared by all that run (decode), each
/// step a little longer the fuller the batch; beyond the slots requests wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace mock {

using Clock = std::chrono::steady_clock;

struct PaceOptions {
  double prefill_us_per_token = 0;
  double decode_us = 0;
  int max_num_seqs = 256;
};

class Pace {
 public:
  explicit Pace(const PaceOptions& options) : options_(options) {}

  /// Runs `begin` now when a slot is free, else when one is. `ticket`, for leave(), is set before:
  /// an answer that takes no time is over, and leaves, within `begin`.
  void enter(std::uint64_t& ticket, std::function<void()> begin);

  /// The request is over, or has gone while it waited.
  void leave(std::uint64_t ticket);

  /// When a prompt that comes now will have been worked through.
  Clock::time_point prefill(int tokens, Clock::time_point now);

  /// How long the next step takes with what runs now.
  Clock::duration step() const;

  bool instant() const noexcept {
    return options_.prefill_us_per_token <= 0 && options_.decode_us <= 0;
  }
  int running() const noexcept { return static_cast<int>(running_); }
  int waiting() const noexcept { return static_cast<int>(waiting_.size()); }
  double usage() const noexcept {
    return static_cast<double>(running_) / static_cast<double>(options_.max_num_seqs);
  }

 private:
  PaceOptions options_;
  std::uint64_t last_ticket_ = 0;
  std::size_t running_ = 0;
  std::deque<std::pair<std::uint64_t, std::function<void()>>> waiting_;
  Clock::time_point prefill_free_{};
};

}  // namespace mock

#include "pace.hpp"

#include <algorithm>

namespace mock {

namespace {
Clock::duration microseconds(double us) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::micro>(us));
}
}  // namespace

void Pace::enter(std::uint64_t& ticket, std::function<void()> begin) {
  ticket = ++last_ticket_;
  if (static_cast<int>(running_) < options_.max_num_seqs) {
    ++running_;
    begin();
  } else {
    waiting_.emplace_back(ticket, std::move(begin));
  }
}

void Pace::leave(std::uint64_t ticket) {
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const auto& entry) { return entry.first == ticket; });
  if (waiting != waiting_.end()) {
    waiting_.erase(waiting);
    return;
  }
  if (waiting_.empty()) {
    --running_;
    return;
  }
  const std::function<void()> begin = std::move(waiting_.front().second);
  waiting_.pop_front();
  begin();
}

Clock::time_point Pace::prefill(int tokens, Clock::time_point now) {
  prefill_free_ =
      std::max(prefill_free_, now) + microseconds(tokens * options_.prefill_us_per_token);
  return prefill_free_;
}

Clock::duration Pace::step() const { return microseconds(options_.decode_us * (1 + usage())); }

}  // namespace mock

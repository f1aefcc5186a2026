/// The binary heap below a loop's timers.
#include "net/timer.hpp"

#include "net/loop.hpp"

namespace llmroute::net {

TimerHeap::~TimerHeap() {
  for (const Entry& entry : entries_) entry.timer->heap_ = nullptr;
}

void TimerHeap::place(std::size_t index, Entry entry) noexcept {
  entries_[index] = entry;
  entry.timer->index_ = index;
}

void TimerHeap::sift_up(std::size_t index) noexcept {
  const Entry entry = entries_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (entries_[parent].at <= entry.at) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(std::size_t index) noexcept {
  const Entry entry = entries_[index];
  for (std::size_t child; (child = 2 * index + 1) < entries_.size();) {
    if (child + 1 < entries_.size() && entries_[child + 1].at < entries_[child].at) ++child;
    if (entry.at <= entries_[child].at) break;
    place(index, entries_[child]);
    index = child;
  }
  place(index, entry);
}

void TimerHeap::insert(Timer& timer, Time at) {
  entries_.push_back({at, &timer});
  timer.heap_ = this;
  timer.index_ = entries_.size() - 1;
  sift_up(timer.index_);
}

void TimerHeap::move(std::size_t index, Time at) noexcept {
  const bool earlier = at < entries_[index].at;
  entries_[index].at = at;
  earlier ? sift_up(index) : sift_down(index);
}

void TimerHeap::erase(std::size_t index) noexcept {
  entries_[index].timer->heap_ = nullptr;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (index == entries_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(last.timer->index_);
}

bool TimerHeap::fire_one(Time now) {
  if (next() > now || empty()) return false;
  Timer& timer = *entries_.front().timer;
  erase(0);
  timer.callback_(timer.context_);  // may destroy the timer
  return true;
}

void Timer::arm(Loop& loop, Time at, Callback callback, void* context) {
  callback_ = callback;
  context_ = context;
  if (heap_ == &loop.timers_) {
    heap_->move(index_, at);
  } else {
    disarm();
    loop.timers_.insert(*this, at);
  }
  if (!loop.running_) loop.signal();
}

void Timer::disarm() noexcept {
  if (heap_ != nullptr) heap_->erase(index_);
}

Time Timer::at() const noexcept { return heap_->entries_[index_].at; }

}  // namespace llmroute::net

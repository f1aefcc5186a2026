/// A queue and a thread.
#include "store_thread.hpp"

#include <utility>

namespace gateway {

using llmroute::Clock;

StoreThread::StoreThread(std::function<void()> between, llmroute::Duration interval)
    : between_(std::move(between)), interval_(interval), thread_([this] { run(); }) {}

StoreThread::~StoreThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

void StoreThread::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wakes_.notify_one();
}

void StoreThread::run() {
  llmroute::Time due = llmroute::after(Clock::now(), interval_);
  while (const std::function<void()> job = next(due)) job();
}

/// What to do now, once there is something; none: it is over. `due` is when it is between_'s turn.
std::function<void()> StoreThread::next(llmroute::Time& due) {
  const auto something = [this] { return ending_ || !jobs_.empty(); };
  std::unique_lock lock(mutex_);
  if (interval_ <= llmroute::Duration{}) {
    wakes_.wait(lock, something);
  } else if (!wakes_.wait_until(lock, due, something)) {
    due = llmroute::after(Clock::now(), interval_);
    return between_;
  }
  if (jobs_.empty()) return {};
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

}  // namespace gateway

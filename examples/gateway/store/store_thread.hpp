/// The thread that has the store: workers' loops never wait for a disk.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <llmroute/core/time.hpp>
#include <mutex>
#include <thread>

namespace gateway {

/// Runs jobs one after the other, and between them, at times, a job of its own. Thread safe. The
/// destructor waits for the jobs that were posted.
class StoreThread {
 public:
  /// `between` runs every `interval`; 0: never.
  StoreThread(std::function<void()> between, llmroute::Duration interval);
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  /// Jobs throw nothing.
  void post(std::function<void()> job);

 private:
  void run();
  std::function<void()> next(llmroute::Time& due);

  const std::function<void()> between_;
  const llmroute::Duration interval_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<std::function<void()>> jobs_{};
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace gateway

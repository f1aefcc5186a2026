/// A value that many threads read and few change: readers take no lock while it stays the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace gateway {

/// Thread safe.
template <class T>
class Published {
 public:
  /// From the next look on this is the value.
  void publish(T value) {
    auto next = std::make_shared<const T>(std::move(value));
    const std::lock_guard lock(mutex_);
    value_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }

  /// One thread's view: costs one atomic load while nothing changes.
  class Reader {
   public:
    explicit Reader(const Published& published) : published_(published) {}

    /// Valid until the next call.
    const T& get() {
      if (published_.version_.load(std::memory_order_acquire) != version_) {
        const std::lock_guard lock(published_.mutex_);
        value_ = published_.value_;
        version_ = published_.version_.load(std::memory_order_relaxed);
      }
      return *value_;
    }

   private:
    const Published& published_;
    std::uint64_t version_ = 0;
    std::shared_ptr<const T> value_ = std::make_shared<const T>();
  };

 private:
  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> version_{0};
  std::shared_ptr<const T> value_{};
};

}  // namespace gateway

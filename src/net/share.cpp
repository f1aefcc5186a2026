/// libcurl's share interface with a mutex for each kind of data, and its one instance a process.
#include "net/share.hpp"

#include <atomic>
#include <new>
#include <stdexcept>

#include "net/fork.hpp"

namespace llmroute::net {

namespace {

struct Instance {
  std::mutex mutex;
  std::uint64_t generation = 0;
  std::shared_ptr<Share> share;
};

/// Never destroyed: loops may outlive the statics of other files. One more for each generation of
/// forks, as a mutex that was held when the process forked stays locked in the child for ever.
Instance& current() {
  static std::atomic<Instance*> instance{nullptr};
  const std::uint64_t generation = fork_generation();
  Instance* seen = instance.load(std::memory_order_acquire);
  while (seen == nullptr || seen->generation != generation) {
    auto made = std::make_unique<Instance>();
    made->generation = generation;
    if (instance.compare_exchange_strong(seen, made.get(), std::memory_order_acq_rel)) {
      return *made.release();
    }
  }
  return *seen;
}

}  // namespace

std::shared_ptr<Share> Share::instance() {
  Instance& instance = current();
  const std::lock_guard lock(instance.mutex);
  if (!instance.share) instance.share = std::make_shared<Share>();
  return instance.share;
}

Share::Share() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
  handle_ = curl_share_init();
  if (handle_ == nullptr) throw std::bad_alloc();
  curl_share_setopt(handle_, CURLSHOPT_LOCKFUNC, &Share::lock);
  curl_share_setopt(handle_, CURLSHOPT_UNLOCKFUNC, &Share::unlock);
  curl_share_setopt(handle_, CURLSHOPT_USERDATA, this);
  curl_share_setopt(handle_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(handle_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

Share::~Share() { curl_share_cleanup(handle_); }

void Share::lock(CURL*, curl_lock_data what, curl_lock_access, void* self) noexcept {
  static_cast<Share*>(self)->mutexes_[what].lock();
}

void Share::unlock(CURL*, curl_lock_data what, void* self) noexcept {
  static_cast<Share*>(self)->mutexes_[what].unlock();
}

}  // namespace llmroute::net

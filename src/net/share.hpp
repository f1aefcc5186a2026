/// What all loops of the process share: names looked up and TLS sessions, behind locks. Connections
/// belong to one loop.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>

namespace llmroute::net {

class Share {
 public:
  /// The process's own; a forked child has a new one, as the parent's locks may have been held.
  static std::shared_ptr<Share> instance();

  Share();
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  CURLSH* handle() noexcept { return handle_; }

 private:
  static void lock(CURL* easy, curl_lock_data what, curl_lock_access access, void* self) noexcept;
  static void unlock(CURL* easy, curl_lock_data what, void* self) noexcept;

  std::mutex mutexes_[CURL_LOCK_DATA_LAST];
  CURLSH* handle_;
};

}  // namespace llmroute::net

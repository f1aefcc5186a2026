/// What callers may have of a process: connections, and memory for what they send.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace http {

/// How many connections there may be, in all and from one address, and how many bytes of requests'
/// bodies, over all servers of the process that share it. Thread safe.
class ConnectionCaps {
 public:
  /// `per_address`, `body_bytes` 0: no limit.
  ConnectionCaps(std::size_t all, std::size_t per_address, std::size_t body_bytes = 0) noexcept
      : all_(all), per_address_(per_address), most_bytes_(body_bytes) {}

  /// Whether one more may come; leave() gives its place back. An empty address is no particular
  /// one.
  bool enter(const std::string& address) noexcept;
  void leave(const std::string& address);

  /// The same for an address alone: of a caller behind a proxy, whose connection counts already.
  bool enter_address(const std::string& address) noexcept;
  void leave_address(const std::string& address);

  bool counts_addresses() const noexcept { return per_address_ > 0; }

  /// Whether there is room for so many bytes more; give_back() makes room.
  bool take(std::size_t bytes) noexcept;
  void give_back(std::size_t bytes) noexcept;

 private:
  const std::size_t all_;
  const std::size_t per_address_;
  const std::size_t most_bytes_;
  std::atomic<std::size_t> now_{0};
  std::atomic<std::size_t> bytes_{0};
  std::mutex mutex_;
  std::map<std::string, std::size_t> by_address_;
};

}  // namespace http

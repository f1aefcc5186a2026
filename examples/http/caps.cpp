/// Counting.
#include "caps.hpp"

#include <new>

namespace http {

bool ConnectionCaps::enter(const std::string& address) noexcept {
  if (now_.fetch_add(1, std::memory_order_relaxed) >= all_) {
    now_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  if (enter_address(address)) return true;
  now_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

/// Without memory to count it a connection is one too many.
bool ConnectionCaps::enter_address(const std::string& address) noexcept {
  if (per_address_ == 0 || address.empty()) return true;
  const std::lock_guard lock(mutex_);
  try {
    std::size_t& count = by_address_[address];
    return count < per_address_ && ++count > 0;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void ConnectionCaps::leave(const std::string& address) {
  now_.fetch_sub(1, std::memory_order_relaxed);
  leave_address(address);
}

void ConnectionCaps::leave_address(const std::string& address) {
  if (per_address_ == 0 || address.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(address);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

bool ConnectionCaps::take(std::size_t bytes) noexcept {
  const std::size_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (most_bytes_ == 0 || before + bytes <= most_bytes_) return true;
  give_back(bytes);
  return false;
}

void ConnectionCaps::give_back(std::size_t bytes) noexcept {
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace http

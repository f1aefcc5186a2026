/// One holder a file: a lock that ends with its process, however that ends.
#pragma once

#include <llmroute/result.hpp>
#include <string>
#include <utility>

namespace gateway {

/// Held by flock(2) on `path` until destroyed. The file stays, empty: to remove it would let a
/// third one lock another file of that name.
class FileLock {
 public:
  /// An internal error when somebody else holds it, or the file cannot be made.
  static llmroute::Result<FileLock> take(const std::string& path);

  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) noexcept : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace gateway

/// Gathers, and writes.
#include "log_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace gateway {
namespace {

constexpr std::size_t most_waiting = 16 * 1024;
constexpr std::chrono::milliseconds longest_wait{100};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(fd, text.data(), text.size());
    if (sent < 0 && errno != EINTR) return;  // nowhere left to complain to
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

LogFile::~LogFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wakes_.notify_one();
  if (thread_.joinable()) thread_.join();
  write_waiting();
}

void LogFile::gather() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) return;
  waiting_.reserve(most_waiting + 1024);
  thread_ = std::thread([this] { run(); });
}

void LogFile::add(std::string_view line, When when) {
  const std::lock_guard lock(mutex_);
  waiting_ += line;
  if (when == When::now || waiting_.size() >= most_waiting || !thread_.joinable())
    return write_waiting();
  if (std::exchange(asleep_, false)) wakes_.notify_one();
}

void LogFile::flush() {
  const std::lock_guard lock(mutex_);
  write_waiting();
}

void LogFile::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    asleep_ = waiting_.empty();
    wakes_.wait(lock, [this] { return !asleep_ || ending_; });
    wakes_.wait_for(lock, longest_wait, [this] { return ending_; });
    write_waiting();
  }
}

void LogFile::write_waiting() {
  write_all(fd_, waiting_);
  waiting_.clear();
}

}  // namespace gateway

/// Gathers; the writing is output_'s.
#include "log_file.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

namespace gateway {
namespace {

constexpr std::size_t most_waiting = 1 << 20;
constexpr std::size_t enough = 256 * 1024;  // to be written without waiting for more
constexpr std::chrono::milliseconds longest_wait{100};
constexpr std::chrono::seconds patience{1};  // with whoever does not take what is left

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

LogFile::~LogFile() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  output_.give_up_after(patience);
  wakes_.notify_one();
  if (thread_.joinable()) thread_.join();
  write_waiting();
}

void LogFile::gather() {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void LogFile::add(std::string_view line, When when) {
  std::unique_lock lock(mutex_);
  if (!keep(line)) {
    ++lost_;
    return;
  }
  if (!thread_.joinable()) {
    lock.unlock();
    return write_waiting();
  }
  const bool hurry = when == When::now || waiting_.size() >= enough;
  const bool wake = std::exchange(asleep_, false) || (hurry && !hurried_);
  hurried_ = hurried_ || hurry;
  if (wake) wakes_.notify_one();
}

void LogFile::flush() { write_waiting(); }

void LogFile::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    asleep_ = waiting_.empty();
    wakes_.wait(lock, [this] { return !asleep_ || ending_; });
    wakes_.wait_for(lock, longest_wait, [this] { return hurried_ || ending_; });
    lock.unlock();
    write_waiting();
    lock.lock();
  }
}

/// Without memory for it a line is lost.
bool LogFile::keep(std::string_view line) noexcept {
  if (waiting_.size() + line.size() > most_waiting) return false;
  try {
    waiting_ += line;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

/// Puts behind the lines how many are missing. False: there was no memory for it.
bool LogFile::add_losses(std::uint64_t lost) noexcept {
  try {
    batch_ += loss_line_(lost);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

/// The lines wait in one string and are written from another: who adds one meanwhile does not wait.
void LogFile::write_waiting() {
  const std::unique_lock writing(writing_, longest_wait);
  if (!writing) return;
  std::uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    batch_.swap(waiting_);
    hurried_ = false;
    lost = std::exchange(lost_, 0);
  }
  const std::uint64_t lines = lines_in(batch_);
  const bool told = lost > 0 && loss_line_ && add_losses(lost);
  if (!output_.write(batch_)) {
    lost += lines;
  } else if (told) {
    lost = 0;
  }
  batch_.clear();
  if (lost == 0) return;
  const std::lock_guard lock(mutex_);
  lost_ += lost;
}

}  // namespace gateway

/// Where log lines go: gathered for a moment, so that many lines are one write(2).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace gateway {

/// Thread safe. Lines keep their order and are never mixed. The destructor writes what is left.
class LogFile {
 public:
  /// Writes each line at once, until gather().
  explicit LogFile(int fd) noexcept : fd_(fd) {}
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// From now on lines wait, up to a tenth of a second or until there are 16 KiB. A thread of its
  /// own writes them then: no loop needs a timer, and a line does not depend on a loop that turns.
  void gather();

  enum class When : std::uint8_t { soon, now };  ///< now: with all that waits, in order
  void add(std::string_view line, When when);

  void flush();

 private:
  void run();
  void write_waiting();

  const int fd_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::string waiting_{};
  bool asleep_ = false;  // the thread waits for a line
  bool ending_ = false;
  std::thread thread_{};
};

}  // namespace gateway

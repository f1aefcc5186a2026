/// Where log lines go: gathered for a moment, so that many lines are one write(2), and written by a
/// thread of its own, so that nobody who logs waits for a disk or a reader.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <llmroute/core/time.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "log_output.hpp"

namespace gateway {

/// Thread safe. Lines keep their order and are never mixed. What cannot be written, or waits beyond
/// 1 MiB, is lost and counted. The destructor writes what is left, unless nobody takes it.
class LogFile {
 public:
  /// Writes each line at once, until gather(). The descriptor is borrowed.
  explicit LogFile(int fd) : output_(fd) {}

  /// The same to a file, which is opened anew when it has been renamed or removed.
  explicit LogFile(LogOutput output) : output_(std::move(output)) {}

  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// From now on lines wait for up to a tenth of a second. A thread of its own writes them then: no
  /// loop needs a timer, and a line does not depend on a loop that turns.
  void gather();

  enum class When : std::uint8_t { soon, now };  ///< now: the thread does not wait for more
  void add(std::string_view line, When when);

  /// Writes what waits. Gives up after a moment when a write under way does not end.
  void flush();

  /// What is written once lines have been lost, given their number.
  void tell_losses(std::function<std::string(std::uint64_t)> line) { loss_line_ = std::move(line); }

 private:
  void run();
  bool keep(std::string_view line) noexcept;
  bool add_losses(std::uint64_t lost) noexcept;
  void write_waiting();

  std::timed_mutex writing_;  // taken before mutex_; guards output_ and batch_
  LogOutput output_;
  std::string batch_{};

  std::mutex mutex_;  // guards the rest
  std::condition_variable wakes_;
  std::string waiting_{};
  std::uint64_t lost_ = 0;
  bool asleep_ = false;  // the thread waits for a line
  bool hurried_ = false;
  bool ending_ = false;
  std::thread thread_{};
  std::function<std::string(std::uint64_t)> loss_line_{};
};

}  // namespace gateway

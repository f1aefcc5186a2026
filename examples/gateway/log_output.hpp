/// A descriptor that log lines are written to: standard error, or a file of the log's own.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <llmroute/core/time.hpp>
#include <llmroute/result.hpp>
#include <string>
#include <string_view>

namespace gateway {

/// One thread at a time, but for give_up_after().
class LogOutput {
 public:
  /// Borrows the descriptor.
  explicit LogOutput(int fd);

  /// Appends to the file, made if it is not there. The error names it.
  static llmroute::Result<LogOutput> open(std::string path);

  LogOutput(LogOutput&& other) noexcept;
  LogOutput& operator=(LogOutput&&) = delete;
  ~LogOutput();

  /// False: not all of it could be written. A file that is not where it was any more (logrotate has
  /// renamed it) is opened anew before; that is looked for once a second.
  bool write(std::string_view text);

  /// From now on who does not take what is written (the reader of a pipe) is waited for no longer
  /// than that. Any thread.
  void give_up_after(std::chrono::milliseconds time) noexcept { patience_ms_ = time.count(); }

 private:
  void look_for_file();
  bool reopen();
  bool wait_for_room() const;

  int fd_ = -1;
  std::string path_{};     // empty: the descriptor is borrowed
  bool may_block_ = true;  // no regular file
  bool torn_ = false;      // the last write ended within a line
  dev_t device_{};
  ino_t inode_{};
  llmroute::Time looked_at_{};
  std::atomic<long> patience_ms_{-1};
};

}  // namespace gateway

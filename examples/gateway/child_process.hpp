/// A program that we start, and that is gone when we are.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// Ends the program when it is destroyed: it is asked to, and killed after two seconds. The kernel
/// kills it when we end without that. Use from one thread, the one that it was started on.
class ChildProcess {
 public:
  struct Command {
    std::vector<std::string> arguments;    ///< the first is the program's path
    std::vector<std::string> environment;  ///< NAME=VALUE; nothing of ours
    std::string log{};                     ///< file for its standard error
  };

  static llmroute::Result<ChildProcess> start(const Command& command);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  /// The port of the line `listening on http://HOST:PORT` that it prints; none when it does not
  /// within `time`, or has ended, or `give_up()` says so.
  std::optional<int> listening_port(std::chrono::milliseconds time,
                                    const std::function<bool()>& give_up);

  pid_t id() const noexcept { return pid_; }

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  pid_t pid_;   // 0: moved from
  int output_;  // its standard output, for reading
};

}  // namespace gateway

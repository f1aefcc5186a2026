/// fork, exec, and what has to be done between them.
#include "child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

namespace gateway {
namespace {

using namespace std::chrono_literals;
using llmroute::Error;
using llmroute::ErrorCode;

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// In the child. Nothing here allocates.
[[noreturn]] void become(char* const* arguments, char* const* environment, int output, int log,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it has ended before we asked to be told
  setpgid(0, 0);                        // Ctrl-C is for the parent, which ends us in its order
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

Error failed(std::string_view what) {
  return Error{.code = ErrorCode::internal,
               .message = fmt::format("{}: {}", what, std::strerror(errno))};
}

/// PORT of `listening on http://HOST:PORT`, once the line is whole.
std::optional<int> port_in(std::string_view text) {
  const std::size_t begin = text.find("listening on http://");
  const std::size_t end = begin == text.npos ? begin : text.find('\n', begin);
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(begin, end - begin);
  const std::string_view digits = line.substr(line.rfind(':') + 1);
  int port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

}  // namespace

llmroute::Result<ChildProcess> ChildProcess::start(const Command& command) {
  const std::string log_path = command.log.empty() ? "/dev/null" : command.log;
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return failed(log_path);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return close(log), failed("a pipe");
  const std::vector<char*> arguments = pointers_to(command.arguments);
  const std::vector<char*> environment = pointers_to(command.environment);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(arguments.data(), environment.data(), ends[1], log, parent);
  close(ends[1]);
  close(log);
  if (pid < 0) return close(ends[0]), failed(command.arguments.front());
  return ChildProcess(pid, ends[0]);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), output_(std::exchange(other.output_, -1)) {}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  close(output_);
  kill(pid_, SIGTERM);
  const auto patience = std::chrono::steady_clock::now() + 2s;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > patience) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      return;
    }
    std::this_thread::sleep_for(2ms);
  }
}

std::optional<int> ChildProcess::listening_port(std::chrono::milliseconds time,
                                                const std::function<bool()>& give_up) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  std::string text;
  while (!give_up() && std::chrono::steady_clock::now() < deadline) {
    pollfd ready{.fd = output_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 50) <= 0) continue;
    char piece[256];
    const ssize_t got = read(output_, piece, sizeof(piece));
    if (got <= 0) return std::nullopt;
    text.append(piece, static_cast<std::size_t>(got));
    if (const auto port = port_in(text)) return port;
  }
  return std::nullopt;
}

}  // namespace gateway

/// Writes, and follows a file's name.
#include "log_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gateway {
namespace {

/// A pipe that has room has it for so much (POSIX, PIPE_BUF).
constexpr std::size_t sure_room = 4096;
constexpr int look_again_ms = 100;
constexpr std::chrono::seconds look_for_file_every{1};

}  // namespace

LogOutput::LogOutput(int fd) : fd_(fd) {
  struct stat status {};
  may_block_ = fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode);
}

LogOutput::LogOutput(LogOutput&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      may_block_(other.may_block_),
      torn_(other.torn_),
      device_(other.device_),
      inode_(other.inode_),
      looked_at_(other.looked_at_),
      patience_ms_(other.patience_ms_.load()) {}

LogOutput::~LogOutput() {
  if (!path_.empty() && fd_ >= 0) ::close(fd_);
}

llmroute::Result<LogOutput> LogOutput::open(std::string path) {
  LogOutput output(-1);
  output.path_ = std::move(path);
  if (output.reopen()) return output;
  return llmroute::Error{
      .code = llmroute::ErrorCode::invalid_config,
      .message = fmt::format("{}: cannot be written: {}", output.path_, std::strerror(errno))};
}

/// What was open stays open when the new one cannot be had.
bool LogOutput::reopen() {
  looked_at_ = llmroute::Clock::now();
  const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return false;
  struct stat status {};
  fstat(fd, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  may_block_ = !S_ISREG(status.st_mode);
  torn_ = false;
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  return true;
}

void LogOutput::look_for_file() {
  const llmroute::Time now = llmroute::Clock::now();
  if (now - looked_at_ < look_for_file_every) return;
  looked_at_ = now;
  struct stat status {};
  const bool same =
      stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (!same) reopen();
}

bool LogOutput::wait_for_room() const {
  const llmroute::Time began = llmroute::Clock::now();
  for (;;) {
    pollfd room{fd_, POLLOUT, 0};
    if (::poll(&room, 1, look_again_ms) > 0) return (room.revents & (POLLERR | POLLNVAL)) == 0;
    const long patience = patience_ms_.load(std::memory_order_relaxed);
    if (patience >= 0 && llmroute::Clock::now() - began > std::chrono::milliseconds(patience)) {
      return false;
    }
  }
}

bool LogOutput::write(std::string_view text) {
  if (text.empty()) return true;
  if (!path_.empty()) look_for_file();
  const bool room = !may_block_ || wait_for_room();
  if (room && torn_ && ::write(fd_, "\n", 1) == 1) torn_ = false;
  while (!text.empty()) {
    if (may_block_ && !wait_for_room()) break;
    const std::size_t size = may_block_ ? std::min(text.size(), sure_room) : text.size();
    const ssize_t sent = ::write(fd_, text.data(), size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;  // no room on the disk: nowhere left to complain to
    torn_ = text[static_cast<std::size_t>(sent) - 1] != '\n';
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return text.empty();
}

}  // namespace gateway

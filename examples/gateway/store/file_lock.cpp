/// flock(2).
#include "file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gateway {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

Result<FileLock> FileLock::take(const std::string& path) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) {
    return Error{.code = ErrorCode::internal,
                 .message = fmt::format("{}: cannot be opened: {}", path, std::strerror(errno))};
  }
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    return Error{
        .code = ErrorCode::internal,
        .message = fmt::format("{}: held by another llmroute-gateway; each needs a store of "
                               "its own",
                               path)};
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace gateway

/// One file, one write.
#include "init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace gateway {
namespace {

llmroute::Error not_written(const std::string& path, int error) {
  const bool there = error == EEXIST;
  return llmroute::Error{
      .code = llmroute::ErrorCode::invalid_argument,
      .message = there ? fmt::format("{}: is there already; --force writes over it", path)
                       : fmt::format("{}: cannot be written: {}", path, std::strerror(error))};
}

}  // namespace

llmroute::Result<void> write_sample(const std::string& path, bool force) {
  // For its owner alone: tokens will be written into it.
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0600);
  if (fd < 0) return not_written(path, errno);
  const std::string_view text = sample_configuration();
  const ssize_t written = write(fd, text.data(), text.size());
  const int error = written < 0 ? errno : ENOSPC;
  close(fd);
  if (written != static_cast<ssize_t>(text.size())) return not_written(path, error);
  return {};
}

int init(const std::string& path, bool force) {
  if (auto written = write_sample(path, force); !written) {
    fmt::print(stderr, "llmroute-gateway: {}\n", written.error().message);
    return 1;
  }
  fmt::print("{} is written: put your nodes in, then: llmroute-gateway run --config {}\n", path,
             path);
  return 0;
}

}  // namespace gateway

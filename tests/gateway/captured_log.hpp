/// A log whose lines come back as text.
#pragma once

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace gateway_test {

class CapturedLog {
 public:
  CapturedLog() {
    if (pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~CapturedLog() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  int fd() const { return ends_[1]; }

  /// What was written since the last call, without waiting for more.
  std::string so_far() const {
    int waiting = 0;
    if (ioctl(ends_[0], FIONREAD, &waiting) != 0 || waiting == 0) return {};
    std::string some(static_cast<std::size_t>(waiting), '\0');
    const ssize_t got = read(ends_[0], some.data(), some.size());
    some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return some;
  }

  /// Waits until something is written.
  std::string next() const {
    pollfd readable{ends_[0], POLLIN, 0};
    poll(&readable, 1, 20'000);
    return so_far();
  }

  /// All that was written; nothing more can be after it. A pipe holds 64 KiB.
  std::string text() {
    close(ends_[1]);
    ends_[1] = -1;
    std::string all(65536, '\0');
    const ssize_t got = read(ends_[0], all.data(), all.size());
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace gateway_test

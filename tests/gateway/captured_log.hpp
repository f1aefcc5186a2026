/// A log whose lines come back as text.
#pragma once

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

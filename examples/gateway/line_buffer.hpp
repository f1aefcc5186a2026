/// The characters of one log line: on the stack, unless it becomes a very long one.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace gateway {

class LineBuffer {
 public:
  void put(std::string_view text) {
    if (!long_.empty() || text.size() > short_.size() - size_) return put_long(text);
    std::memcpy(short_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }

  std::string_view text() const noexcept {
    return long_.empty() ? std::string_view(short_.data(), size_) : std::string_view(long_);
  }

 private:
  void put_long(std::string_view text) {
    if (long_.empty()) long_.assign(short_.data(), size_);
    long_ += text;
  }

  std::array<char, 512> short_;
  std::size_t size_ = 0;
  std::string long_{};
};

}  // namespace gateway

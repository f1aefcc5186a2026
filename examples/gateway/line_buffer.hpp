/// The characters of one log line: on the stack, unless it becomes a very long one.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace gateway {

class LineBuffer {
 public:
  LineBuffer() = default;
  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  void put(std::string_view text) {
    if (text.size() > room_) [[unlikely]]
      return put_long(text);
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
    room_ -= text.size();
  }

  std::string_view text() const noexcept {
    return long_.empty() ? short_text() : std::string_view(long_);
  }

 private:
  std::string_view short_text() const noexcept {
    return {short_.data(), static_cast<std::size_t>(end_ - short_.data())};
  }

  /// From now on all goes there.
  void put_long(std::string_view text) {
    if (long_.empty()) long_ = short_text();
    long_ += text;
    room_ = 0;
  }

  std::array<char, 512> short_;
  char* end_ = short_.data();
  std::size_t room_ = short_.size();
  std::string long_{};
};

}  // namespace gateway

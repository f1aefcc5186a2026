/// The gateway's log: one line an event on standard error, JSON or text, each written by one
/// write(2) so that lines of several threads never mix. A line below the level costs one
/// comparison.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gateway {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { json, text };

/// Thread safe. Never give it a key, a prompt or an answer.
///
///     if (log.enabled(LogLevel::warn)) log.line(LogLevel::warn, "node").add("node",
///     name).add("status", 503);
class Log {
 public:
  class Line;

  explicit Log(LogLevel level = LogLevel::info, LogFormat format = LogFormat::json,
               int fd = 2) noexcept
      : level_(level), format_(format), fd_(fd) {}

  bool enabled(LogLevel level) const noexcept { return level >= level_; }

  /// A line about `event`; written when it is destroyed, nowhere when its level is not enabled.
  Line line(LogLevel level, std::string_view event) const;

 private:
  LogLevel level_;
  LogFormat format_;
  int fd_;
};

/// A line being put together. Empty texts and absent values are left out.
class Log::Line {
 public:
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Line& add(std::string_view name, std::string_view text);
  Line& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Line& add(std::string_view name, bool flag);
  Line& add(std::string_view name, double number);

  template <class T>
    requires std::is_integral_v<T>
  Line& add(std::string_view name, T number) {
    if (begin_field(name)) fmt::format_to(fmt::appender(buffer_), "{}", number);
    return *this;
  }

  /// A time in milliseconds.
  Line& add(std::string_view name, std::chrono::nanoseconds time) {
    return add(name, std::chrono::duration<double, std::milli>(time).count());
  }
  Line& add(std::string_view name, std::optional<std::chrono::nanoseconds> time) {
    return time ? add(name, *time) : *this;
  }

 private:
  friend class Log;
  Line(int fd, LogFormat format, LogLevel level, std::string_view event);
  bool begin_field(std::string_view name);
  void append_text(std::string_view text);

  int fd_;  // -1: not enabled
  LogFormat format_;
  fmt::basic_memory_buffer<char, 512> buffer_;
};

}  // namespace gateway

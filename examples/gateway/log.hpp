/// The gateway's log: one line an event on standard error, JSON or text. A line below the level
/// costs one comparison.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "line_buffer.hpp"
#include "log_file.hpp"

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

  explicit Log(LogLevel level = LogLevel::info, LogFormat format = LogFormat::json, int fd = 2)
      : level_(level), format_(format), file_(std::make_unique<LogFile>(fd)) {}

  bool enabled(LogLevel level) const noexcept { return level >= level_; }

  /// A line about `event`; ends when it is destroyed, is nothing when its level is not enabled.
  Line line(LogLevel level, std::string_view event) const;

  /// From now on lines may wait for a moment, but for warnings and errors.
  void gather() const { file_->gather(); }

  /// Writes what waits; needed before an end that runs no destructors.
  void flush() const { file_->flush(); }

 private:
  LogLevel level_;
  LogFormat format_;
  std::unique_ptr<LogFile> file_;
};

/// A line being put together. Empty texts and absent values are left out.
class Log::Line {
 public:
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Line& add(std::string_view name, std::string_view text);
  Line& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Line& add(std::string_view name, bool flag) {
    if (begin_field(name)) put(flag ? "true" : "false");
    return *this;
  }
  Line& add(std::string_view name, std::integral auto number) {
    if (begin_field(name)) put(fmt::format_int(number));
    return *this;
  }

  /// A time in milliseconds.
  Line& add(std::string_view name, std::chrono::nanoseconds time);
  Line& add(std::string_view name, std::optional<std::chrono::nanoseconds> time) {
    return time ? add(name, *time) : *this;
  }

  /// Is written at once, with all that came before it.
  Line& now() noexcept { return when_ = LogFile::When::now, *this; }

 private:
  friend class Log;
  Line(LogFile* file, LogFormat format, LogLevel level, std::string_view event);
  bool begin_field(std::string_view name);
  void put(std::string_view text) { buffer_.put(text); }
  void put(const fmt::format_int& number) { put(std::string_view(number.data(), number.size())); }
  void put_text(std::string_view text);
  void put_time();

  LogFile* file_;  // null: not enabled
  LogFormat format_;
  LogFile::When when_ = LogFile::When::soon;
  LineBuffer buffer_{};
};

}  // namespace gateway

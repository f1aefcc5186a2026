/// The gateway's log: one line an event, on standard error and, when asked for, in files. A line
/// below the level costs one comparison.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <llmroute/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log_file.hpp"
#include "log_pen.hpp"

namespace gateway {

/// Thread safe once it is set up. Never give it a key, a prompt or an answer.
///
///     if (log.enabled(LogLevel::warn)) log.line(LogLevel::warn, "node").add("node",
///     name).add("status", 503);
class Log {
 public:
  class Line;

  /// `fd` -1: none.
  explicit Log(LogLevel level = LogLevel::info, LogFormat format = LogFormat::json, int fd = 2);

  /// From now on lines go to three files in `dir` as well, which is made if it is not there:
  /// llmroute.log has them all, llmroute-error.log the warnings and errors, and
  /// llmroute-structured.log has them all in JSON whatever the format. Files that are renamed are
  /// begun anew. The error names the file.
  llmroute::Result<void> open_files(const std::string& dir);

  bool enabled(LogLevel level) const noexcept { return level >= least_; }

  /// A line about `event`; ends when it is destroyed, is nothing when its level is not enabled.
  Line line(LogLevel level, std::string_view event) const;

  /// From now on lines may wait for a moment.
  void gather() const;

  /// Writes what waits; needed before an end that runs no destructors.
  void flush() const;

 private:
  struct Sink {
    LogFormat format;
    LogLevel least;
    std::unique_ptr<LogFile> file;
  };

  void add_sink(LogFormat format, LogLevel least, std::unique_ptr<LogFile> file);

  LogLevel level_;
  LogFormat format_;
  LogLevel least_ = LogLevel::off;  // off while there is nowhere to write
  std::vector<Sink> sinks_{};
};

/// A line being put together, in each format that is wanted. Empty texts and absent values are left
/// out.
class Log::Line {
 public:
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Line& add(std::string_view name, std::string_view text);
  Line& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Line& add(std::string_view name, bool flag) { return plain(name, flag ? "true" : "false"); }
  Line& add(std::string_view name, std::integral auto number) {
    if (log_ == nullptr) return *this;
    const fmt::format_int digits(number);
    return plain(name, {digits.data(), digits.size()});
  }

  /// A time in milliseconds.
  Line& add(std::string_view name, std::chrono::nanoseconds time);
  Line& add(std::string_view name, std::optional<std::chrono::nanoseconds> time) {
    return time ? add(name, *time) : *this;
  }

  /// Is written without waiting for more, as warnings and errors are.
  Line& now() noexcept { return when_ = LogFile::When::now, *this; }

 private:
  friend class Log;
  Line(const Log* log, LogLevel level, std::string_view event);
  Line& plain(std::string_view name, std::string_view value);

  const Log* log_;  // null: not enabled
  LogLevel level_;
  LogFile::When when_ = LogFile::When::soon;
  std::optional<LogPen> json_{};
  std::optional<LogPen> text_{};
};

}  // namespace gateway

/// Writes one log line, in one of the two formats.
#pragma once

#include <cstdint>
#include <string_view>

#include "line_buffer.hpp"

namespace gateway {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { json, text };

/// By appending alone: there is a line for every request.
class LogPen {
 public:
  LogPen(LogFormat format, LogLevel level, std::string_view event);

  /// Text comes from nodes and callers: whatever could end a line or a string early, or move a
  /// terminal's cursor, is escaped; what is no UTF-8 is replaced; what is too long is cut.
  void text(std::string_view name, std::string_view value);

  /// A number or the like, which needs no quotes.
  void plain(std::string_view name, std::string_view value) {
    begin_field(name);
    put(value);
  }

  /// The whole line.
  std::string_view end() {
    put(format_ == LogFormat::json ? "}\n" : "\n");
    return buffer_.text();
  }

 private:
  void begin_field(std::string_view name);
  void put(std::string_view bytes) { buffer_.put(bytes); }
  void put_escaped(std::string_view bytes);
  void put_time();

  LogFormat format_;
  LineBuffer buffer_{};
};

}  // namespace gateway

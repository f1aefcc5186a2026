/// Puts log lines together and writes them.
#include "log.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace gateway {
namespace {

constexpr std::array<std::string_view, 5> level_names = {"debug", "info", "warn", "error", "off"};

/// "2026-01-31T12:00:00.123Z". The date is worked out once a second and thread.
void append_now(fmt::appender out) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  thread_local time_t last = -1;
  thread_local std::array<char, 20> text{};
  if (now.tv_sec != last) {
    tm date{};
    gmtime_r(&now.tv_sec, &date);
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &date);
    last = now.tv_sec;
  }
  fmt::format_to(out, "{}.{:03}Z", std::string_view(text.data(), 19), now.tv_nsec / 1'000'000);
}

bool plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(fd, text.data(), text.size());
    if (sent < 0 && errno != EINTR) return;  // nowhere left to complain to
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

Log::Line Log::line(LogLevel level, std::string_view event) const {
  return {enabled(level) ? fd_ : -1, format_, level, event};
}

Log::Line::Line(int fd, LogFormat format, LogLevel level, std::string_view event)
    : fd_(fd), format_(format) {
  if (fd_ < 0) return;
  const fmt::appender out(buffer_);
  const std::string_view name = level_names[static_cast<std::size_t>(level)];
  if (format_ == LogFormat::text) {
    append_now(out);
    fmt::format_to(out, " {:5} {}", name, event);
    return;
  }
  buffer_.append(std::string_view("{\"time\":\""));
  append_now(out);
  fmt::format_to(out, "\",\"level\":\"{}\",\"event\":\"{}\"", name, event);
}

Log::Line::~Line() {
  if (fd_ < 0) return;
  buffer_.append(std::string_view(format_ == LogFormat::json ? "}\n" : "\n"));
  write_all(fd_, {buffer_.data(), buffer_.size()});
}

bool Log::Line::begin_field(std::string_view name) {
  if (fd_ < 0) return false;
  if (format_ == LogFormat::json) {
    fmt::format_to(fmt::appender(buffer_), ",\"{}\":", name);
  } else {
    fmt::format_to(fmt::appender(buffer_), " {}=", name);
  }
  return true;
}

/// Text comes from nodes and callers: whatever could end a line or a string early is escaped.
void Log::Line::append_text(std::string_view text) {
  for (const char c : text) {
    if (plain(c)) {
      buffer_.push_back(c);
    } else {
      fmt::format_to(fmt::appender(buffer_), "\\u{:04x}", static_cast<unsigned char>(c));
    }
  }
}

Log::Line& Log::Line::add(std::string_view name, std::string_view text) {
  if (text.empty() || !begin_field(name)) return *this;
  const bool quoted = format_ == LogFormat::json || text.find_first_of(" =\"") != text.npos;
  if (quoted) buffer_.push_back('"');
  append_text(text);
  if (quoted) buffer_.push_back('"');
  return *this;
}

Log::Line& Log::Line::add(std::string_view name, bool flag) {
  if (begin_field(name)) buffer_.append(std::string_view(flag ? "true" : "false"));
  return *this;
}

Log::Line& Log::Line::add(std::string_view name, double number) {
  if (begin_field(name)) fmt::format_to(fmt::appender(buffer_), "{:.3f}", number);
  return *this;
}

}  // namespace gateway

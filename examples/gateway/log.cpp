/// Puts log lines together, by appending alone: there is one for every request.
#include "log.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace gateway {
namespace {

constexpr std::array<std::string_view, 5> level_names = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 5> level_columns = {" debug ", " info  ", " warn  ",
                                                           " error ", " off   "};

/// The last three decimal digits.
struct Thousandths {
  explicit Thousandths(long number) noexcept
      : digits{static_cast<char>('0' + number / 100 % 10),
               static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)} {}
  operator std::string_view() const noexcept { return {digits.data(), digits.size()}; }
  std::array<char, 3> digits;
};

/// What a string may hold as it is.
constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < table.size(); ++c) table[c] = c != '"' && c != '\\' && c != 0x7f;
  return table;
}();

}  // namespace

Log::Line Log::line(LogLevel level, std::string_view event) const {
  return {enabled(level) ? file_.get() : nullptr, format_, level, event};
}

Log::Line::Line(LogFile* file, LogFormat format, LogLevel level, std::string_view event)
    : file_(file), format_(format) {
  if (file_ == nullptr) return;
  if (level >= LogLevel::warn) now();
  const auto index = static_cast<std::size_t>(level);
  if (format_ == LogFormat::text) {
    put_time();
    put(level_columns[index]);
    put(event);
    return;
  }
  put(R"({"time":")");
  put_time();
  put(R"(","level":")");
  put(level_names[index]);
  put(R"(","event":")");
  put(event);
  put("\"");
}

Log::Line::~Line() {
  if (file_ == nullptr) return;
  put(format_ == LogFormat::json ? "}\n" : "\n");
  file_->add(buffer_.text(), when_);
}

/// "2026-01-31T12:00:00.123Z". The date is worked out once a second and thread.
void Log::Line::put_time() {
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
  put({text.data(), 19});
  put(".");
  put(Thousandths(now.tv_nsec / 1'000'000));
  put("Z");
}

bool Log::Line::begin_field(std::string_view name) {
  if (file_ == nullptr) return false;
  const bool json = format_ == LogFormat::json;
  put(json ? ",\"" : " ");
  put(name);
  put(json ? "\":" : "=");
  return true;
}

/// Text comes from nodes and callers: whatever could end a line or a string early is escaped.
void Log::Line::put_text(std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (plain[c]) continue;
    put(text.substr(done, i - done));
    put(fmt::format("\\u{:04x}", c));
    done = i + 1;
  }
  put(text.substr(done));
}

Log::Line& Log::Line::add(std::string_view name, std::string_view text) {
  if (text.empty() || !begin_field(name)) return *this;
  const bool quoted = format_ == LogFormat::json || text.find_first_of(" =\"") != text.npos;
  if (quoted) put("\"");
  put_text(text);
  if (quoted) put("\"");
  return *this;
}

Log::Line& Log::Line::add(std::string_view name, std::chrono::nanoseconds time) {
  if (!begin_field(name)) return *this;
  const long us = std::max(0L, static_cast<long>((time.count() + 500) / 1000));
  put(fmt::format_int(us / 1000));
  put(".");
  put(Thousandths(us % 1000));
  return *this;
}

}  // namespace gateway

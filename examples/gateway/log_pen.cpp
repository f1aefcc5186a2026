/// JSON, or name=value.
#include "log_pen.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace gateway {
namespace {

constexpr std::size_t longest_text = 1024;

constexpr std::array<std::string_view, 5> level_names = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 5> level_columns = {" debug ", " info  ", " warn  ",
                                                           " error ", " off   "};

/// What a string may hold as it is.
constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

/// The character of UTF-8 at the beginning of `text`: how many bytes, and which; no bytes: it is
/// none (RFC 3629).
struct Character {
  std::size_t size = 0;
  std::uint32_t code = 0;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < least[size] || code > 0x10ffff || surrogate ? Character{} : Character{size, code};
}

/// Controls beyond ASCII's, and what turns the direction of text around.
bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

LogPen::LogPen(LogFormat format, LogLevel level, std::string_view event) : format_(format) {
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

/// "2026-01-31T12:00:00.123Z". The date is worked out once a second and thread.
void LogPen::put_time() {
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
  const long ms = now.tv_nsec / 1'000'000;
  const std::array<char, 5> rest = {'.', static_cast<char>('0' + ms / 100),
                                    static_cast<char>('0' + ms / 10 % 10),
                                    static_cast<char>('0' + ms % 10), 'Z'};
  put({text.data(), 19});
  put({rest.data(), rest.size()});
}

void LogPen::begin_field(std::string_view name) {
  const bool json = format_ == LogFormat::json;
  put(json ? ",\"" : " ");
  put(name);
  put(json ? "\":" : "=");
}

void LogPen::text(std::string_view name, std::string_view value) {
  begin_field(name);
  const bool cut = value.size() > longest_text;
  if (cut) value = value.substr(0, longest_text);
  const bool quoted =
      format_ == LogFormat::json || value.empty() || value.find_first_of(" =\"") != value.npos;
  if (quoted) put("\"");
  put_escaped(value);
  if (cut) put("...");
  if (quoted) put("\"");
}

void LogPen::put_escaped(std::string_view bytes) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < bytes.size();) {
    if (plain_bytes[static_cast<unsigned char>(bytes[i])]) {
      ++i;
      continue;
    }
    const Character character = first_character(bytes.substr(i));
    if (character.size > 1 && !is_control(character.code)) {
      i += character.size;
      continue;
    }
    put(bytes.substr(done, i - done));
    if (character.size == 0) {
      put("\xef\xbf\xbd");
    } else {
      put(fmt::format("\\u{:04x}", character.code));
    }
    done = i += character.size == 0 ? 1 : character.size;
  }
  put(bytes.substr(done));
}

}  // namespace gateway

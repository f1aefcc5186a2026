#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <llmroute/wire/retry_after.hpp>
#include <string>

namespace llmroute::wire {

namespace {

using std::chrono::nanoseconds;
using Wall = std::chrono::system_clock::time_point;

constexpr double longest = 400.0 * 24 * 3600;  // beyond a year it is an error of somebody's

std::optional<nanoseconds> from_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > longest) return std::nullopt;
  return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A date as IMF-fixdate, RFC 850 or asctime (RFC 9110, section 5.6.7), or RFC 3339 in UTC.
std::optional<std::time_t> date(const std::string& text) {
  constexpr std::array forms{"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                             "%a %b %e %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S"};
  for (const char* form : forms) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (end == nullptr) continue;
    if (*end == '.') {
      do ++end;
      while (*end >= '0' && *end <= '9');
    }
    const std::string_view rest(end);
    if (!rest.empty() && rest != "Z" && rest != "+00:00") continue;
    return timegm(&parts);
  }
  return std::nullopt;
}

/// "6m0s", "1.5s", "12ms", "1h2m3s".
std::optional<double> spans(std::string_view text) {
  double total = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const std::optional<double> value = number(text.substr(0, digits));
    text.remove_prefix(digits);
    if (!value) return std::nullopt;
    const auto take = [&](std::string_view unit, double factor) {
      if (text.substr(0, unit.size()) != unit) return false;
      text.remove_prefix(unit.size());
      total += *value * factor;
      return true;
    };
    if (!take("ms", 1e-3) && !take("h", 3600) && !take("m", 60) && !take("s", 1))
      return std::nullopt;
  }
  return total;
}

std::optional<nanoseconds> until(std::string_view text, Wall now) {
  const std::optional<std::time_t> when = date(std::string(text));
  if (!when) return std::nullopt;
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);  // a far date overflows a Wall
  const std::chrono::duration<double> part = now - whole;
  return from_seconds(static_cast<double>(*when - whole.time_since_epoch().count()) - part.count());
}

}  // namespace

std::optional<nanoseconds> retry_after(const Headers& headers, Wall wall_now) {
  for (const std::string_view name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    const auto value = headers.find(name);
    const std::optional<double> milliseconds = value ? number(*value) : std::nullopt;
    if (!milliseconds) continue;
    if (auto wait = from_seconds(*milliseconds / 1e3)) return wait;
  }
  if (const auto value = headers.find("retry-after")) {
    const std::optional<double> seconds = number(*value);
    if (auto wait = seconds ? from_seconds(*seconds) : until(*value, wall_now)) return wait;
  }
  for (const std::string_view name : {"x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"}) {
    const auto value = headers.find(name);
    if (!value || value->empty()) continue;
    const std::optional<double> seconds = spans(*value);
    if (auto wait = seconds ? from_seconds(*seconds) : until(*value, wall_now)) return wait;
  }
  return std::nullopt;
}

std::optional<bool> should_retry(const Headers& headers) {
  const auto value = headers.find("x-should-retry");
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

}  // namespace llmroute::wire

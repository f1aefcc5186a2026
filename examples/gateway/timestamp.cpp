/// RFC 3339 by the calendar of <chrono>.
#include "timestamp.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace gateway {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::sys_days;

constexpr Timestamp second = 1'000'000;

/// Takes pieces off the front of a text; once one is not there nothing is.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    const char* from = rest_.data();
    if (!good_ || rest_.size() < count || from[0] < '0' || from[0] > '9') return fail();
    const auto [end, error] = std::from_chars(from, from + count, value);
    if (error != std::errc{} || end != from + count) return fail();
    rest_.remove_prefix(count);
    return value;
  }

  bool one_of(std::string_view letters) {
    const bool found = good_ && !rest_.empty() && letters.find(rest_[0]) != letters.npos;
    if (found) rest_.remove_prefix(1);
    return found;
  }

  void expect(std::string_view letters) { good_ = one_of(letters); }

  /// Behind a point: millionths.
  int fraction() {
    int value = 0;
    std::size_t read = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), ++read) {
      if (read < 6) value = value * 10 + (rest_[0] - '0');
    }
    if (read == 0 || read > 9) return fail();
    for (; read < 6; ++read) value *= 10;
    return value;
  }

  void refuse() { good_ = false; }

  char front() const { return rest_.empty() ? '\0' : rest_[0]; }
  bool good() const { return good_; }
  bool done() const { return good_ && rest_.empty(); }

 private:
  int fail() {
    refuse();
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

/// Seconds east of Greenwich.
int offset(Pieces& pieces) {
  if (pieces.one_of("Zz")) return 0;
  const int sign = pieces.front() == '-' ? -1 : 1;
  pieces.expect("+-");
  const int hours = pieces.digits(2);
  pieces.expect(":");
  const int minutes = pieces.digits(2);
  if (hours > 23 || minutes > 59) pieces.refuse();
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

Timestamp now_timestamp() {
  return std::chrono::duration_cast<microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string to_text(Timestamp moment) {
  const std::chrono::sys_time<microseconds> time{microseconds(moment)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto fraction = clock.subseconds().count();
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text += 'Z';
}

std::optional<Timestamp> read_timestamp(std::string_view text) {
  Pieces pieces(text);
  const std::chrono::year year{pieces.digits(4)};
  pieces.expect("-");
  const std::chrono::month month{static_cast<unsigned>(pieces.digits(2))};
  pieces.expect("-");
  const std::chrono::day day{static_cast<unsigned>(pieces.digits(2))};
  pieces.expect("Tt ");
  const int hour = pieces.digits(2);
  pieces.expect(":");
  const int minute = pieces.digits(2);
  pieces.expect(":");
  const int seconds = pieces.digits(2);
  const int fraction = pieces.one_of(".") ? pieces.fraction() : 0;
  const int east = offset(pieces);
  const std::chrono::year_month_day date{year, month, day};
  if (!pieces.done() || !date.ok() || hour > 23 || minute > 59 || seconds > 60) return std::nullopt;
  const Timestamp whole = sys_days(date).time_since_epoch().count() * Timestamp{86400} +
                          hour * 3600 + minute * 60 + seconds - east;
  return whole * second + fraction;
}

}  // namespace gateway

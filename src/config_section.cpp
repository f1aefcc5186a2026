#include "config_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <llmroute/text.hpp>

namespace llmroute::detail {

namespace {

/// The number at the front of `text`, which is left with what follows.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<Duration> duration_of(double number, double unit) {
  constexpr double most = 10.0 * 365 * 24 * 3600;
  if (!(number >= 0) || number * unit > most) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(number * unit * 1e9));
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  if (text == "ms") return duration_of(*number, 1e-3);
  if (text == "s" || text.empty()) return duration_of(*number, 1);
  if (text == "m") return duration_of(*number, 60);
  if (text == "h") return duration_of(*number, 3600);
  return std::nullopt;
}

ConfigSection::ConfigSection(Value value, std::string path, ConfigFault& fault)
    : path_(std::move(path)), fault_(fault) {
  simdjson::dom::object object;
  if (value.get_object().get(object)) {
    fault_.note(path_, "must be a table of keys");
  } else {
    object_ = object;
  }
}

std::string ConfigSection::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::optional<ConfigSection::Value> ConfigSection::take(std::string_view key) {
  known_.push_back(key);
  if (!object_) return std::nullopt;
  std::optional<Value> found;
  for (const auto field : *object_) {
    if (field.key != key) continue;
    if (found) wrong(key, "is given twice");
    found = field.value;
  }
  return found;
}

void ConfigSection::finish() {
  if (!object_) return;
  for (const auto field : *object_) {
    if (std::find(known_.begin(), known_.end(), field.key) != known_.end()) continue;
    const std::string close = nearest(field.key, known_);
    return wrong(field.key, fmt::format("unknown; nearest: \"{}\"", path_of(close)));
  }
}

void ConfigSection::wrong_word(std::string_view key, std::string_view word,
                               const std::vector<std::string_view>& known) {
  wrong(key,
        fmt::format("\"{}\" is none of its words; nearest: \"{}\"", word, nearest(word, known)));
}

void ConfigSection::read(std::string_view key, bool& out) {
  const std::optional<Value> value = take(key);
  if (value && value->get_bool().get(out)) wrong(key, "must be true or false");
}

void ConfigSection::read(std::string_view key, int& out) {
  std::int64_t number = out;
  read_up_to(key, std::numeric_limits<int>::max(), number);
  out = static_cast<int>(number);
}

void ConfigSection::read(std::string_view key, std::int64_t& out) {
  read_up_to(key, std::numeric_limits<std::int64_t>::max(), out);
}

void ConfigSection::read_up_to(std::string_view key, std::int64_t most, std::int64_t& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  std::int64_t number = 0;
  if (value->get_int64().get(number)) return wrong(key, "must be a whole number");
  if (number < 0) return wrong(key, fmt::format("{} is out of range; the least is 0", number));
  if (number > most) {
    return wrong(key, fmt::format("{} is out of range; the most is {}", number, most));
  }
  out = number;
}

void ConfigSection::read(std::string_view key, std::uint64_t& out) {
  const std::optional<Value> value = take(key);
  if (value && value->get_uint64().get(out)) wrong(key, "must be a whole number, 0 or more");
}

void ConfigSection::read(std::string_view key, double& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  double number = 0;
  if (value->get_double().get(number)) return wrong(key, "must be a number");
  if (!(number >= 0)) return wrong(key, fmt::format("{} is out of range; the least is 0", number));
  out = number;
}

void ConfigSection::read(std::string_view key, std::string& out) {
  const std::optional<Value> value = take(key);
  std::string_view text;
  if (!value) return;
  if (value->get_string().get(text)) return wrong(key, "must be text in quotes");
  out = text;
}

std::optional<Duration> ConfigSection::duration(std::string_view key, const Value& value) {
  std::string_view text;
  double number = 0;
  std::string given = "this";
  std::optional<Duration> parsed;
  if (!value.get_string().get(text)) {
    parsed = parse_duration(text);
    given = fmt::format("\"{}\"", text);
  } else if (!value.get_double().get(number)) {
    parsed = duration_of(number, 1);
    given = fmt::format("{}", number);
  }
  if (!parsed) {
    constexpr std::string_view rule =
        "is no duration of 0 or more, like \"250ms\", \"10s\", \"5m\" or 10";
    wrong(key, fmt::format("{} {}", given, rule));
  }
  return parsed;
}

void ConfigSection::read(std::string_view key, Duration& out) {
  const std::optional<Value> value = take(key);
  if (value) out = duration(key, *value).value_or(out);
}

void ConfigSection::read_or(std::string_view key, std::string_view none,
                            std::optional<Duration>& out) {
  const std::optional<Value> value = take(key);
  std::string_view text;
  if (!value) return;
  if (!value->get_string().get(text) && text == none) {
    out.reset();
  } else {
    out = duration(key, *value);
  }
}

void ConfigSection::read_size(std::string_view key, std::size_t& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  std::uint64_t bytes = 0;
  if (!value->get_uint64().get(bytes)) {
    out = bytes;
    return;
  }
  constexpr std::pair<std::string_view, double> units[] = {
      {"", 1}, {"B", 1}, {"KB", 1024}, {"MB", 1024.0 * 1024}, {"GB", 1024.0 * 1024 * 1024}};
  std::string_view text;
  if (!value->get_string().get(text)) {
    const std::optional<double> number = take_number(text);
    for (const auto& [unit, factor] : units) {
      if (!number || text != unit || *number < 0 || *number * factor > 1e15) continue;
      out = static_cast<std::size_t>(*number * factor);
      return;
    }
  }
  wrong(key, "must be a size of 0 or more, like \"64KB\", \"1MB\" or 65536");
}

void ConfigSection::read_json(std::string_view key, std::string& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  simdjson::dom::object object;
  if (value->get_object().get(object)) return wrong(key, "must be a table");
  out = object.begin() == object.end() ? std::string{} : simdjson::minify(object);
}

void ConfigSection::read_auto(std::string_view key, std::optional<int>& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  std::string_view word;
  std::int64_t number = 0;
  if (!value->get_string().get(word) && word == "auto") {
    out.reset();
  } else if (!value->get_int64().get(number) && number >= 0 &&
             number <= std::numeric_limits<int>::max()) {
    out = static_cast<int>(number);
  } else {
    wrong(key, "must be \"auto\" or a whole number, 0 or more");
  }
}

void ConfigSection::read(std::string_view key, std::vector<std::string>& out) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  simdjson::dom::array items;
  if (value->get_array().get(items)) return wrong(key, "must be a list of texts");
  out.clear();
  for (const Value item : items) {
    std::string_view text;
    if (item.get_string().get(text)) return wrong(key, "must be a list of texts");
    out.emplace_back(text);
  }
}

template <class Out, class Read>
void ConfigSection::read_fields(std::string_view key, Out& out, Read&& read_one) {
  const std::optional<Value> value = take(key);
  if (!value) return;
  simdjson::dom::object fields;
  if (value->get_object().get(fields)) return wrong(key, "must be a table");
  out.clear();
  for (const auto field : fields) {
    if (!read_one(field.key, field.value)) {
      return fault_.note(fmt::format("{}.{}", path_of(key), field.key),
                         "has a value of the wrong kind");
    }
  }
}

void ConfigSection::read(std::string_view key, std::map<std::string, std::string>& out) {
  read_fields(key, out, [&](std::string_view name, Value value) {
    std::string_view text;
    if (value.get_string().get(text)) return false;
    return out.emplace(name, text).second;
  });
}

void ConfigSection::read(std::string_view key, std::map<std::string, double>& out) {
  read_fields(key, out, [&](std::string_view name, Value value) {
    double number = 0;
    if (value.get_double().get(number) || !(number >= 0)) return false;
    return out.emplace(name, number).second;
  });
}

void ConfigSection::read(std::string_view key, Headers& out) {
  read_fields(key, out, [&](std::string_view name, Value value) {
    std::string_view text;
    if (value.get_string().get(text)) return false;
    out.add(std::string(name), std::string(text));
    return true;
  });
}

}  // namespace llmroute::detail

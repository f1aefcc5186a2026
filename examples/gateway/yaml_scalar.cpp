/// The regular expressions of the core schema, by hand.
#include "yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gateway {
namespace {

template <std::size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 3> true_words = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> false_words = {"false", "False", "FALSE"};
constexpr std::array<std::string_view, 5> null_words = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 6> not_in_json = {".inf", ".Inf", ".INF",
                                                         ".nan", ".NaN", ".NAN"};

std::string_view without_sign(std::string_view text) {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

/// What std::from_chars takes: it knows no plus.
std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
}

std::optional<std::int64_t> whole(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 10;
  if (base != 10) text.remove_prefix(2);
  if (base != 10 && without_sign(text).size() != text.size()) return std::nullopt;
  text = without_plus(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> broken(std::string_view text) {
  const std::string_view digits = without_sign(text);
  const bool begins = digits.starts_with('.') ? digits.size() > 1 : !digits.empty();
  if (!begins || digits.find_first_not_of("0123456789.eE+-") != digits.npos) return std::nullopt;
  text = without_plus(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool all = error == std::errc{} && end == text.data() + text.size();
  return all && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

bool is_yaml_null(std::string_view text) { return is_one_of(text, null_words); }

std::optional<decltype(Setting::value)> yaml_scalar(std::string_view text) {
  using Value = decltype(Setting::value);
  if (is_yaml_null(text) || is_one_of(without_sign(text), not_in_json)) return std::nullopt;
  if (is_one_of(text, true_words)) return Value{true};
  if (is_one_of(text, false_words)) return Value{false};
  if (const auto number = whole(text)) return Value{*number};
  if (const auto number = broken(text)) return Value{*number};
  return Value{std::string(text)};
}

}  // namespace gateway

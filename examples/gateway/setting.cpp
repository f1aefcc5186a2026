/// Walks along dotted keys, and the way back to JSON.
#include "setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <llmroute/wire/json_text.hpp>

namespace gateway {
namespace {

using llmroute::wire::json_quote;

/// Takes "nodes" off "nodes[1].url", or "[1]" off "[1].url".
std::string_view take_step(std::string_view& dotted) {
  if (dotted.starts_with('.')) dotted.remove_prefix(1);
  const std::size_t end = dotted.starts_with('[') ? dotted.find(']') : dotted.find_first_of(".[");
  const std::size_t length =
      end == std::string_view::npos ? dotted.size() : end + (dotted[end] == ']' ? 1 : 0);
  const std::string_view step = dotted.substr(0, length);
  dotted.remove_prefix(length);
  return step;
}

const Setting* member(const Setting& setting, std::string_view name) {
  const Setting::Table& table = setting.table();
  const auto at = std::find_if(table.begin(), table.end(),
                               [&](const Setting::Member& m) { return m.name == name; });
  return at == table.end() ? nullptr : &at->setting;
}

const Setting* element(const Setting& setting, std::string_view step) {
  const auto* array = std::get_if<Setting::Array>(&setting.value);
  std::size_t index = 0;
  std::from_chars(step.data() + 1, step.data() + step.size(), index);
  return array != nullptr && index < array->size() ? &(*array)[index] : nullptr;
}

const Setting* child(const Setting& setting, std::string_view step) {
  return step.starts_with('[') ? element(setting, step) : member(setting, step);
}

struct JsonWriter {
  std::string& out;

  void operator()(const Setting::Table& table) const {
    out += '{';
    for (const Setting::Member& m : table) {
      if (&m != table.data()) out += ',';
      out += json_quote(m.name);
      out += ':';
      std::visit(*this, m.setting.value);
    }
    out += '}';
  }
  void operator()(const Setting::Array& array) const {
    out += '[';
    for (const Setting& element : array) {
      if (&element != array.data()) out += ',';
      std::visit(*this, element.value);
    }
    out += ']';
  }
  void operator()(const std::string& text) const { out += json_quote(text); }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::int64_t number) const {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
  void operator()(double number) const { fmt::format_to(std::back_inserter(out), "{}", number); }
};

/// The tables whose keys are credentials.
constexpr std::array<std::string_view, 2> tables_of_tokens = {"tenants", "auth.tokens"};

std::string without_token(std::string_view key) {
  for (const std::string_view table : tables_of_tokens) {
    if (key.starts_with(table) && key.substr(table.size()).starts_with('.')) {
      return fmt::format("{}.****", table);
    }
  }
  return std::string(key);
}

}  // namespace

const Setting::Table& Setting::table() const {
  static const Table none;
  const auto* table = std::get_if<Table>(&value);
  return table != nullptr ? *table : none;
}

const Setting* Setting::find(std::string_view dotted) const {
  const Setting* at = this;
  while (at != nullptr && !dotted.empty()) at = child(*at, take_step(dotted));
  return at;
}

std::string_view Setting::place_of(std::string_view dotted) const {
  const Setting* at = this;
  std::string_view found = at->place;
  while (at != nullptr && !dotted.empty()) {
    at = child(*at, take_step(dotted));
    if (at != nullptr && !at->place.empty()) found = at->place;
  }
  return found;
}

void Setting::set(std::string_view dotted, Setting setting) {
  Setting* at = this;
  while (!dotted.empty()) {
    const std::string_view step = take_step(dotted);
    if (!std::holds_alternative<Table>(at->value)) at->value = Table{};
    if (member(*at, step) == nullptr) {
      std::get<Table>(at->value).push_back({std::string(step), Setting{.place = setting.place}});
    }
    at = const_cast<Setting*>(member(*at, step));
  }
  *at = std::move(setting);
}

std::optional<Setting> take(Setting& setting, std::string_view dotted) {
  const auto* found = setting.find(dotted);
  if (found == nullptr || found == &setting) return std::nullopt;
  Setting taken = *found;
  const std::size_t last = dotted.find_last_of(".[");
  const std::string_view around = last == dotted.npos ? "" : dotted.substr(0, last);
  auto* parent = const_cast<Setting*>(setting.find(around));
  if (auto* table = std::get_if<Setting::Table>(&parent->value)) {
    std::erase_if(*table, [&](const Setting::Member& m) { return &m.setting == found; });
  } else if (auto* list = std::get_if<Setting::Array>(&parent->value)) {
    list->erase(list->begin() + (found - list->data()));
  }
  return taken;
}

std::string to_json(const Setting& setting) {
  std::string out;
  std::visit(JsonWriter{out}, setting.value);
  return out;
}

std::string at_place(std::string_view place, std::string_view key, std::string_view what) {
  const std::string_view colon = place.empty() ? "" : ": ";
  std::string line =
      key.empty() ? fmt::format("{}{}{}", place, colon, what)
                  : fmt::format("{}{}key \"{}\": {}", place, colon, without_token(key), what);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return line;
}

}  // namespace gateway

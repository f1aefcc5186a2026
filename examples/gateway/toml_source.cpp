/// The one place that knows toml++, which is slow to compile.
#include "toml_source.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <cmath>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

std::string place(std::string_view file, const toml::source_region& region) {
  return fmt::format("{}:{}", file, region.begin.line);
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Setting read(const toml::node& node, const std::string& key) {
    Setting setting{.place = place(file_, node.source())};
    if (const auto* table = node.as_table()) {
      setting.value = read_table(*table, key);
    } else if (const auto* array = node.as_array()) {
      setting.value = read_array(*array, key);
    } else {
      read_scalar(node, key, setting);
    }
    return setting;
  }

  std::optional<Error> error;

 private:
  Setting::Table read_table(const toml::table& table, const std::string& key) {
    Setting::Table members;
    for (const auto& [name, node] : table) {
      const std::string path =
          key.empty() ? std::string(name.str()) : fmt::format("{}.{}", key, name.str());
      members.push_back({std::string(name.str()), read(node, path)});
      Setting& member = members.back().setting;
      // A table begins at its header, which for a dotted or implied one is its first key: the key's
      // own line is exact.
      member.place = place(file_, name.source());
    }
    return members;
  }

  Setting::Array read_array(const toml::array& array, const std::string& key) {
    Setting::Array elements;
    for (const toml::node& node : array) {
      elements.push_back(read(node, fmt::format("{}[{}]", key, elements.size())));
    }
    return elements;
  }

  void read_scalar(const toml::node& node, const std::string& key, Setting& setting) {
    if (const auto* text = node.as_string()) {
      setting.value = text->get();
    } else if (const auto* flag = node.as_boolean()) {
      setting.value = flag->get();
    } else if (const auto* integer = node.as_integer()) {
      setting.value = integer->get();
    } else if (const auto* number = node.as_floating_point(); number && std::isfinite(**number)) {
      setting.value = number->get();
    } else if (!error) {
      error = Error{.code = ErrorCode::invalid_config,
                    .message = at_place(setting.place, key, "takes no date, time, inf or nan"),
                    .param = key};
    }
  }

  std::string_view file_;
};

/// What toml++ says of a fault. It quotes keys and values, and which is a token it does not know:
/// all it quotes becomes ****, but for single characters.
std::string words_of(const toml::parse_error& error) {
  std::string words(error.description());
  const std::size_t first = words.find('\'');
  const std::size_t last = words.rfind('\'');
  const bool characters = first == words.npos || last - first <= 4 || words.find(", saw '") < last;
  return characters ? words : words.replace(first + 1, last - first - 1, "****");
}

}  // namespace

Result<Setting> read_toml(std::string_view text, std::string_view file) try {
  const toml::table table = toml::parse(text, file);
  Reader reader(file);
  Setting setting = reader.read(table, "");
  if (reader.error) return std::move(*reader.error);
  return setting;
} catch (const toml::parse_error& error) {
  return Error{.code = ErrorCode::invalid_config,
               .message = at_place(place(file, error.source()), "",
                                   fmt::format("not TOML: {}", words_of(error)))};
}

}  // namespace gateway

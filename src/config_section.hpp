/// One object of the configuration's JSON, read key by key: what has not been asked for by the end
/// is unknown, and the first thing wrong is kept with its place.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <llmroute/core/time.hpp>
#include <llmroute/headers.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute::detail {

/// The first fault of a configuration: where ("router.max_retries") and what.
struct ConfigFault {
  std::string key{};
  std::string what{};
  bool found() const noexcept { return !what.empty(); }
  void note(std::string at, std::string why) {
    if (!found()) key = std::move(at), what = std::move(why);
  }
};

/// The words an enum has in configuration.
template <class E>
using Words = std::span<const std::pair<std::string_view, E>>;

class ConfigSection {
 public:
  using Value = simdjson::dom::element;

  ConfigSection(Value value, std::string path, ConfigFault& fault);

  void read(std::string_view key, bool& out);
  void read(std::string_view key, int& out);
  void read(std::string_view key, std::int64_t& out);
  void read(std::string_view key, std::uint64_t& out);
  void read(std::string_view key, double& out);
  void read(std::string_view key, std::string& out);
  void read(std::string_view key, Duration& out);
  void read(std::string_view key, std::vector<std::string>& out);
  void read(std::string_view key, std::map<std::string, std::string>& out);
  void read(std::string_view key, std::map<std::string, double>& out);
  void read(std::string_view key, Headers& out);
  void read_json(std::string_view key, std::string& out);  ///< a table, as JSON text
  void read_size(std::string_view key, std::size_t& out);  ///< bytes: 65536, "64KB", "1MB"
  /// A duration, or the word that stands for none.
  void read_or(std::string_view key, std::string_view none, std::optional<Duration>& out);
  void read_auto(std::string_view key, std::optional<int>& out);  ///< a number, or "auto" for none

  template <class E>
  void read_word(std::string_view key, E& out, std::type_identity_t<Words<E>> words) {
    const std::optional<Value> value = take(key);
    if (!value) return;
    std::string_view text;
    if (value->get_string().get(text)) return wrong(key, "must be a word in quotes");
    std::vector<std::string_view> known;
    for (const auto& [word, meaning] : words) {
      if (word == text) {
        out = meaning;
        return;
      }
      known.push_back(word);
    }
    wrong_word(key, text, known);
  }

  /// Reads a section of its own: `body(section)`.
  template <class F>
  void section(std::string_view key, F&& body) {
    if (const std::optional<Value> value = take(key)) {
      ConfigSection inner(*value, path_of(key), fault_);
      body(inner);
      inner.finish();
    }
  }

  /// Reads a list of objects: `body(section)` for each.
  template <class F>
  void list(std::string_view key, F&& body) {
    const std::optional<Value> value = take(key);
    if (!value) return;
    simdjson::dom::array items;
    if (value->get_array().get(items)) return wrong(key, "must be a list");
    std::size_t index = 0;
    for (const Value item : items) {
      ConfigSection inner(item, path_of(key) + "[" + std::to_string(index++) + "]", fault_);
      body(inner);
      inner.finish();
    }
  }

  /// All known keys have been read: any other is a fault.
  void finish();

 private:
  std::optional<Value> take(std::string_view key);
  void read_up_to(std::string_view key, std::int64_t most, std::int64_t& out);
  std::optional<Duration> duration(std::string_view key, const Value& value);
  std::string path_of(std::string_view key) const;
  void wrong(std::string_view key, std::string what) { fault_.note(path_of(key), std::move(what)); }
  void wrong_word(std::string_view key, std::string_view word,
                  const std::vector<std::string_view>& known);
  template <class Out, class Read>
  void read_fields(std::string_view key, Out& out, Read&& read);

  std::optional<simdjson::dom::object> object_;
  std::string path_;
  ConfigFault& fault_;
  std::vector<std::string_view> known_;
};

/// "250ms", "10s", "5m", "1h" or nothing.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace llmroute::detail

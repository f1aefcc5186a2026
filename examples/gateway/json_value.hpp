/// Reading and writing the JSON of admin requests and of the store. Reading goes over text that has
/// been checked whole (read_object), so it only has to find where values begin and end; a value
/// stays as it was written.
#pragma once

#include <cstdint>
#include <llmroute/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// A value as it stands in good JSON. Borrows nothing.
class JsonValue {
 public:
  explicit JsonValue(std::string raw) : raw_(std::move(raw)) {}

  const std::string& raw() const noexcept { return raw_; }

  // None: it is of another kind.
  bool is_null() const noexcept { return raw_ == "null"; }
  bool is_object() const noexcept { return raw_.starts_with('{'); }
  std::optional<bool> flag() const;
  std::optional<std::string> text() const;
  std::optional<std::int64_t> whole() const;  ///< without fraction and exponent
  std::optional<double> number() const;
  std::optional<std::vector<std::string>> texts() const;

 private:
  std::string raw_;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};
using JsonObject = std::vector<JsonMember>;

/// The members of an object, in order. Anything that is not one whole object in strict JSON, or has
/// a name twice, is an invalid_argument that names the member in `param`.
llmroute::Result<JsonObject> read_object(std::string_view json);

/// ["a","b"]
std::string json_list(const std::vector<std::string>& texts);

/// An object being written: {"a":1,"b":"x"}.
class JsonWriter {
 public:
  JsonWriter& add(std::string_view name, std::string_view text);
  JsonWriter& add(std::string_view name, const char* text) {
    return add(name, std::string_view(text));
  }
  JsonWriter& add(std::string_view name, bool flag);
  JsonWriter& add(std::string_view name, double number);
  JsonWriter& add(std::string_view name, const std::optional<std::int64_t>& number);  ///< or null
  JsonWriter& add_json(std::string_view name, std::string_view json);

  std::string end() { return out_ + '}'; }

 private:
  std::string out_ = "{";
};

}  // namespace gateway

/// Where values begin and end.
#include "json_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <llmroute/wire/check_json.hpp>
#include <llmroute/wire/json_text.hpp>
#include <utility>

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// Goes over good JSON, value by value.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) { blanks(); }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    blanks();
    return true;
  }

  /// The next value, whatever it is.
  std::string_view value() {
    const std::size_t begin = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;
        --depth;
      } else if ((c == ',' || c == ':' || blank(c)) && depth == 0) {
        break;
      }
    }
    const std::string_view found = text_.substr(begin, at_ - begin);
    blanks();
    return found;
  }

 private:
  static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
  }
  /// To the closing quote.
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<std::string> unquoted(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return std::nullopt;
  std::string text;
  llmroute::wire::append_unescaped(text, raw.substr(1, raw.size() - 2));
  return text;
}

template <class T>
std::optional<T> all_of(std::string_view raw) {
  T value{};
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<bool> JsonValue::flag() const {
  if (raw_ == "true") return true;
  if (raw_ == "false") return false;
  return std::nullopt;
}

std::optional<std::string> JsonValue::text() const { return unquoted(raw_); }
std::optional<std::int64_t> JsonValue::whole() const { return all_of<std::int64_t>(raw_); }
std::optional<double> JsonValue::number() const { return all_of<double>(raw_); }

std::optional<std::vector<std::string>> JsonValue::texts() const {
  Scanner scanner(raw_);
  if (!scanner.take('[')) return std::nullopt;
  std::vector<std::string> found;
  if (scanner.take(']')) return found;
  do {
    auto text = unquoted(scanner.value());
    if (!text) return std::nullopt;
    found.push_back(std::move(*text));
  } while (scanner.take(','));
  return found;
}

Result<JsonObject> read_object(std::string_view json) {
  if (auto checked = llmroute::wire::check_json(json, ""); !checked) return checked.error();
  Scanner scanner(json);
  JsonObject members;
  scanner.take('{');
  if (scanner.take('}')) return members;
  do {
    std::string name = unquoted(scanner.value()).value_or(std::string());
    scanner.take(':');
    JsonValue value(std::string(scanner.value()));
    const auto same = [&](const JsonMember& other) { return other.name == name; };
    if (std::any_of(members.begin(), members.end(), same)) {
      return Error{.code = ErrorCode::invalid_argument,
                   .message = fmt::format("\"{}\" is given twice", name),
                   .param = name};
    }
    members.push_back({std::move(name), std::move(value)});
  } while (scanner.take(','));
  return members;
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += llmroute::wire::json_quote(text);
  }
  return out += ']';
}

JsonWriter& JsonWriter::add_json(std::string_view name, std::string_view json) {
  if (out_.size() > 1) out_ += ',';
  out_ += llmroute::wire::json_quote(name);
  out_ += ':';
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::add(std::string_view name, std::string_view text) {
  return add_json(name, llmroute::wire::json_quote(text));
}

JsonWriter& JsonWriter::add(std::string_view name, bool flag) {
  return add_json(name, flag ? "true" : "false");
}

JsonWriter& JsonWriter::add(std::string_view name, double number) {
  return add_json(name, fmt::format("{}", number));
}

JsonWriter& JsonWriter::add(std::string_view name, const std::optional<std::int64_t>& number) {
  return add_json(name, number ? fmt::format("{}", *number) : "null");
}

}  // namespace gateway

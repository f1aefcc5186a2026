/// HTTP header fields in the order they came: a short list, for which a scan beats a map.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute {

struct Header {
  std::string name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// True when two field names are the same, ASCII case aside (RFC 9110, section 5.1).
inline bool same_field_name(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

/// Field names compare without regard to case. Not thread safe; a plain value.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  /// The value of the first field of that name; valid until the list changes.
  std::optional<std::string_view> find(std::string_view name) const noexcept {
    for (const Header& field : fields_) {
      if (same_field_name(field.name, name)) return field.value;
    }
    return std::nullopt;
  }

  void add(std::string name, std::string value) {
    fields_.push_back({std::move(name), std::move(value)});
  }

  void reserve(std::size_t count) { fields_.reserve(count); }
  void clear() noexcept { fields_.clear(); }
  bool empty() const noexcept { return fields_.empty(); }
  std::size_t size() const noexcept { return fields_.size(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

  /// The same bytes in the same order.
  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::vector<Header> fields_;
};

}  // namespace llmroute

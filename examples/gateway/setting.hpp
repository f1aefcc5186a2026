/// A configuration as a tree of values that know where they were written, whatever the format of
/// the file: so that a file, the environment and flags can be laid over each other, and every
/// message can still name its line or variable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gateway {

/// One value: a scalar, a list or a table.
struct Setting {
  struct Member;
  using Table = std::vector<Member>;
  using Array = std::vector<Setting>;

  std::variant<Table, Array, std::string, std::int64_t, double, bool> value{};
  std::string place{};  ///< "llmroute.toml:12", "variable AUTH_TOKEN", "--port"

  /// The value at "nodes[1].url", or none.
  const Setting* find(std::string_view dotted) const;

  /// Puts `setting` at "server.port", making tables on the way; replaces what was there.
  void set(std::string_view dotted, Setting setting);

  /// The place of the value at `dotted`, else of the nearest table or list around it; empty:
  /// unknown.
  std::string_view place_of(std::string_view dotted) const;

  const Table& table() const;  ///< empty unless it is a table
};

struct Setting::Member {
  std::string name;
  Setting setting;
};

/// Takes the value at "nodes[1].url" out of `setting`; none: there is none.
std::optional<Setting> take(Setting& setting, std::string_view dotted);

/// The JSON text of a setting.
std::string to_json(const Setting& setting);

/// "what" with the place in front, the way every configuration error reads: `place: key
/// "server.port": what`. One line, whatever a key holds. Of a key below `tenants` or `auth.tokens`,
/// which is a token, it says ****.
std::string at_place(std::string_view place, std::string_view key, std::string_view what);

}  // namespace gateway

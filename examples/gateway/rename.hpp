/// Turns the keys of another product's file into ours, by a table. What a table does not name stays
/// as it is where it stands in one of our own sections, and is refused elsewhere.
#pragma once

#include <cstdint>
#include <llmroute/result.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "setting.hpp"

namespace gateway {

/// A default; none by default.
using Standard = std::variant<std::monostate, std::int64_t, double, bool, std::string_view>;

/// One key. Two rows with the same `theirs` set two of ours.
struct Rename {
  std::string_view theirs;  ///< "config.max_retries"; empty: the row is but a default
  std::string_view ours;    ///< "router.max_retries"
  Standard standard{};      ///< what that product documents for a key that is left out
};

using Names = std::vector<std::string_view>;

/// Ours from a whole document. A key that neither the table nor our own sections have, and one that
/// would set what another has set, are invalid_config errors with place and the nearest right key;
/// `also` are names that may be meant: those of sections that the loader has taken out before.
llmroute::Result<Setting> rename(const Setting& document, std::span<const Rename> table,
                                 const Names& also);

/// What becomes of a key of an entry that its table does not name.
enum class Unnamed { stays, refused };

/// Ours from one entry of a list, a node say. `path` is where it stands, for messages:
/// "providers[2]".
llmroute::Result<Setting> rename_entry(const Setting& entry, std::string_view path,
                                       std::span<const Rename> table, Unnamed unnamed);

/// `rename_entry` of each entry of the list "name" in `document`; an absent one is empty.
llmroute::Result<Setting::Array> rename_entries(const Setting& document, std::string_view name,
                                                std::span<const Rename> table,
                                                Unnamed unnamed = Unnamed::stays);

/// An invalid_config error about the value at `key`.
llmroute::Error refused(const Setting& at, std::string_view key, std::string_view what);

}  // namespace gateway

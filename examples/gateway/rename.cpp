/// Walks over a document beside the table.
#include "rename.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <llmroute/text.hpp>

#include "sections.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

std::string joined(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

/// The first step of "config.max_retries".
std::string_view head(std::string_view dotted) { return dotted.substr(0, dotted.find('.')); }

Setting value_of(const Standard& standard) {
  if (const auto* text = std::get_if<std::string_view>(&standard)) {
    return {.value = std::string(*text)};
  }
  if (const auto* flag = std::get_if<bool>(&standard)) return {.value = *flag};
  if (const auto* broken = std::get_if<double>(&standard)) return {.value = *broken};
  return {.value = std::get<std::int64_t>(standard)};
}

bool in_our_sections(std::string_view key) {
  const Names sections = all_sections();
  return std::find(sections.begin(), sections.end(), head(key)) != sections.end();
}

/// Which keys stay that the table does not name.
enum class Keep { our_sections, all, none };

class Renaming {
 public:
  /// `also` are names of the top level to be suggested.
  Renaming(std::span<const Rename> table, Keep keep, Names also)
      : table_(table), keep_(keep), also_(std::move(also)) {
    for (const Rename& row : table_) {
      if (!std::holds_alternative<std::monostate>(row.standard)) {
        out_.set(row.ours, value_of(row.standard));
      }
    }
  }

  Result<Setting> run(const Setting& from, std::string_view shown) {
    out_.place = from.place;
    walk(from, "", shown);
    if (error_) return std::move(*error_);
    return std::move(out_);
  }

 private:
  void walk(const Setting& from, const std::string& path, std::string_view shown) {
    for (const Setting::Member& member : from.table()) {
      const std::string key = joined(path, member.name);
      const std::string shown_key = joined(shown, member.name);
      const bool leaf = std::any_of(table_.begin(), table_.end(),
                                    [&](const Rename& row) { return row.theirs == key; });
      if (leaf) {
        take(member.setting, key, shown_key);
      } else if (is_section(key)) {
        enter(member.setting, key, shown_key);
      } else if (keep_ == Keep::all || (keep_ == Keep::our_sections && in_our_sections(key))) {
        keep(key, member.setting, shown_key);
      } else {
        refuse(member.setting, shown_key,
               fmt::format("unknown; nearest: \"{}\"",
                           joined(shown, llmroute::nearest(member.name, siblings(path)))));
      }
    }
  }

  void take(const Setting& value, std::string_view key, const std::string& shown) {
    Setting placed = value;
    placed.place = fmt::format("{}: {}", value.place, shown);
    if (auto* list = std::get_if<Setting::Array>(&placed.value)) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        Setting& element = (*list)[i];
        element.place = fmt::format("{}: {}[{}]", element.place, shown, i);
      }
    }
    for (const Rename& row : table_) {
      if (row.theirs == key) put(row.ours, placed, shown);
    }
  }

  void enter(const Setting& value, const std::string& key, const std::string& shown) {
    if (!std::holds_alternative<Setting::Table>(value.value)) {
      return refuse(value, shown, "is a section");
    }
    walk(value, key, shown);
  }

  /// Of a section of the top level each key by itself: the table may have put others beside it.
  void keep(const std::string& key, const Setting& value, const std::string& shown) {
    const bool section = keep_ == Keep::our_sections && head(key) == key && !value.table().empty();
    if (!section) return put(key, value, shown);
    for (const Setting::Member& member : value.table()) {
      put(joined(key, member.name), member.setting, joined(shown, member.name));
    }
  }

  void put(std::string_view ours, const Setting& value, const std::string& shown) {
    const Setting* before = out_.find(ours);
    if (before != nullptr && !before->place.empty()) {
      return refuse(value, shown, fmt::format("means what is given at {} already", before->place));
    }
    out_.set(ours, value);
  }

  bool is_section(std::string_view key) const {
    return std::any_of(table_.begin(), table_.end(), [&](const Rename& row) {
      return row.theirs.size() > key.size() && row.theirs.starts_with(key) &&
             row.theirs[key.size()] == '.';
    });
  }

  /// The names that may stand beside each other below `path`.
  Names siblings(std::string_view path) const {
    Names names = path.empty() ? also_ : Names{};
    for (const Rename& row : table_) {
      std::string_view rest = row.theirs;
      if (!path.empty()) {
        if (!(rest.starts_with(path) && rest.substr(path.size()).starts_with('.'))) continue;
        rest.remove_prefix(path.size() + 1);
      }
      if (!rest.empty()) names.push_back(head(rest));
    }
    return names;
  }

  void refuse(const Setting& at, std::string_view key, std::string_view what) {
    if (!error_) error_ = refused(at, key, what);
  }

  std::span<const Rename> table_;
  Keep keep_;
  Names also_;
  Setting out_{};
  std::optional<Error> error_{};
};

}  // namespace

Error refused(const Setting& at, std::string_view key, std::string_view what) {
  return Error{.code = ErrorCode::invalid_config,
               .message = at_place(at.place, key, what),
               .param = std::string(key)};
}

Result<Setting> rename(const Setting& document, std::span<const Rename> table, const Names& also) {
  Names names = all_sections();
  names.insert(names.end(), also.begin(), also.end());
  return Renaming(table, Keep::our_sections, std::move(names)).run(document, "");
}

Result<Setting> rename_entry(const Setting& entry, std::string_view path,
                             std::span<const Rename> table, Unnamed unnamed) {
  if (!std::holds_alternative<Setting::Table>(entry.value)) {
    return refused(entry, path, "is a table of keys");
  }
  const Keep keep = unnamed == Unnamed::stays ? Keep::all : Keep::none;
  return Renaming(table, keep, {}).run(entry, path);
}

Result<Setting::Array> rename_entries(const Setting& document, std::string_view name,
                                      std::span<const Rename> table, Unnamed unnamed) {
  Setting::Array renamed;
  const Setting* list = document.find(name);
  if (list == nullptr) return renamed;
  const auto* entries = std::get_if<Setting::Array>(&list->value);
  if (entries == nullptr) return refused(*list, name, "is a list");
  for (const Setting& entry : *entries) {
    auto one = rename_entry(entry, fmt::format("{}[{}]", name, renamed.size()), table, unnamed);
    if (!one) return std::move(one.error());
    renamed.push_back(std::move(*one));
  }
  return renamed;
}

}  // namespace gateway

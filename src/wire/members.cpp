#include <llmroute/wire/members.hpp>

#include "wire/fields.hpp"
#include "wire/padded.hpp"

namespace llmroute::wire {

namespace {

namespace od = simdjson::ondemand;

/// Where a value stands in the text that begins at `base`; length 0: it cannot be read.
Span place_of(od::value& value, const char* base) {
  const std::string_view json = json_of(value);
  if (json.empty()) return {};
  return {static_cast<std::size_t>(json.data() - base), json.size()};
}

}  // namespace

std::optional<std::vector<Member>> read_members(std::string_view object) {
  const simdjson::padded_string_view text = padded(object);
  od::document document;
  od::object root;
  if (iterate(text).get(document) || document.get_object().get(root)) return std::nullopt;
  std::vector<Member> members;
  const bool whole = each_field(root, [&](std::string_view key, od::value& value) {
    std::string name(key);
    const Span place = place_of(value, text.data());
    members.push_back({std::move(name), place});
    return place.length != 0;
  });
  if (!whole || !ends_here(document)) return std::nullopt;
  return members;
}

std::optional<std::vector<Span>> read_items(std::string_view list) {
  const simdjson::padded_string_view text = padded(list);
  od::document document;
  od::array root;
  if (iterate(text).get(document) || document.get_array().get(root)) return std::nullopt;
  std::vector<Span> items;
  for (auto item : root) {
    od::value value;
    if (item.get(value)) return std::nullopt;
    items.push_back(place_of(value, text.data()));
    if (items.back().length == 0) return std::nullopt;
  }
  if (!ends_here(document)) return std::nullopt;
  return items;
}

const Member* find_member(std::span<const Member> members, std::string_view name) noexcept {
  const Member* found = nullptr;
  for (const Member& member : members) {
    if (member.name == name) found = &member;
  }
  return found;
}

}  // namespace llmroute::wire

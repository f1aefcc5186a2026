/// Where the parts of a JSON text stand: the members of an object, the items of a list. For the few
/// requests that are looked into that far.
#pragma once

#include <llmroute/wire/span.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::wire {

struct Member {
  std::string name{};  ///< unescaped
  Span value{};        ///< without blanks around it
};

/// In their order, one that is given twice as well; none when the text is no object.
std::optional<std::vector<Member>> read_members(std::string_view object);

/// None when the text is no list.
std::optional<std::vector<Span>> read_items(std::string_view list);

/// The member of that name, of several the last, as most readers have it; null: there is none.
const Member* find_member(std::span<const Member> members, std::string_view name) noexcept;

/// What a span of `text` holds.
inline std::string_view at(std::string_view text, const Span& place) noexcept {
  return text.substr(place.offset, place.length);
}

}  // namespace llmroute::wire

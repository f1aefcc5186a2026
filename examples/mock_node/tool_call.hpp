/// A call of a tool, as models write it: <tool_call>{"name": ..., "arguments": {...}}</tool_call>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tokens.hpp"

namespace mock {

/// Whether the prompt brings tools and does not end with what one of them returned.
bool wants_call(const Ids& prompt);

/// A call of the first tool of the prompt; `chance` makes up the arguments.
Ids call_ids(const Ids& prompt, std::uint64_t chance);

/// What stands before the arguments, once it is complete.
struct CallHead {
  std::string_view name{};
  std::string_view arguments{};  ///< how they begin
  explicit operator bool() const noexcept { return !name.empty(); }
};
CallHead call_head(std::string_view text) noexcept;

}  // namespace mock

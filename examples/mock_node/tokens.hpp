/// Token ids and the bytes they stand for. A pure function with no file behind it: two nodes agree,
/// and ids give the exact text back.
///
///     0..99      marks that no text contains, such as the one in front of the assistant's turn
///     100..999   pieces of the words that answers are made of; some end within a character
///     1000..     one to three bytes each, wherever characters end
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mock {

using Ids = std::vector<int>;

enum Mark : int {
  end_of_turn,
  system_turn,
  user_turn,
  assistant_turn,
  tool_turn,
  tools,  ///< what can be called, as JSON
  end_of_thought,
  tool_call,
  end_of_tool_call,
  end_of_marks
};

bool is_token(std::int64_t id) noexcept;

/// Whether it is part of an answer's word. Prompts that were text never have such tokens.
bool is_piece(int id) noexcept;

/// The bytes of a token; of a mark, its name.
std::string bytes_of(int id);
std::string bytes_of(const Ids& ids);

void append_ids(Ids& out, std::string_view text);

/// One of the words answers are made of. An ASCII word is one token; the others, which come when
/// `wide`, have characters of several bytes and tokens that end within them.
Ids word(bool wide, std::uint64_t chance);

}  // namespace mock

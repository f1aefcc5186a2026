/// Tokens as a caller sees them: one piece a token, its text held back while it ends within a
/// character or could be the beginning of a stop string.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "speech.hpp"
#include "tokens.hpp"

namespace mock {

enum class Part { content, reasoning, call_name, call_arguments };

struct Piece {
  Part part = Part::content;
  std::string text{};
  Ids ids{};
};

struct Answer {
  std::vector<Piece> pieces{};
  const char* finish_reason = "length";
  std::optional<std::string> stop_reason{};  ///< the stop string

  std::size_t tokens() const noexcept;
  std::string text(Part part) const;
  Ids ids() const;
};

struct Spelling {
  bool parts = true;  ///< thoughts and calls apart from content; else all is content
  std::vector<std::string> stops{};
  bool keep_stop = false;
};

Answer spell(const Continuation& what, const Spelling& spelling);

}  // namespace mock

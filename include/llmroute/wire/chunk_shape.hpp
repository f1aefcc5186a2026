/// Reading the chunks of one stream quickly: they differ in little but their text.
#pragma once

#include <llmroute/wire/chunk_view.hpp>
#include <string>
#include <string_view>

namespace llmroute::wire {

/// Remembers what stands before and behind the text of the chunk read last. Where the next one has
/// the same around its own text, and that is a plain string, it needs no parsing. Not thread safe.
class ChunkShape {
 public:
  /// The same as read_chunk(data).
  ChunkView read(std::string_view data);

 private:
  bool fits(std::string_view data) const noexcept;
  void learn(std::string_view data, const ChunkView& view);

  std::string before_{};
  std::string behind_{};  // empty: nothing is known yet
  ChunkView view_{};      // of a chunk of this shape, its text left out
};

}  // namespace llmroute::wire

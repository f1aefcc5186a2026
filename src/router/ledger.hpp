/// What a stream has delivered to its caller, kept so that it can go on elsewhere when its node
/// dies. Bounded: a stream that outgrows the ledger is never resumed, only reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/delta.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::detail {

class Ledger {
 public:
  static constexpr std::size_t limit = 1 << 20;

  /// What one choice has delivered.
  struct Choice {
    std::string content{};
    std::string reasoning{};
    std::string refusal{};
    bool begun = false;  ///< the caller has had a chunk of it, its role perhaps
    bool finished = false;
  };

  /// The tokens behind the text of a stream with one choice, when the node tells them.
  struct Tokens {
    std::vector<std::uint32_t> prompt{};
    std::vector<std::uint32_t> answer{};
    std::size_t complete = 0;  ///< of answer: up to the last chunk that brought text
    bool known = false;        ///< all of the answer's so far
  };

  /// An event of which the caller sees `data` is on its way.
  void note(std::string_view data, const wire::ChunkView& chunk);

  /// The ids in a node's chunk; to be told of every chunk of a stream that has them.
  void note_tokens(std::string_view data, const wire::ChunkView& chunk);

  /// Takes away the ids behind the last text that was delivered: what they stand for never came.
  std::vector<std::uint32_t> drop_incomplete();

  /// From here on the answer's ids are not known any more.
  void forget_tokens() noexcept { tokens_ = {}; }

  /// False: something was delivered that no other stream can be joined to (a tool call, audio), or
  /// too much.
  bool resumable() const noexcept { return !opaque_ && size_ <= limit; }

  /// By index; empty as long as a choice has brought nothing.
  const Choice& choice(std::size_t index) const noexcept;
  std::size_t choices() const noexcept { return choices_.size(); }

  /// The text of the first choice.
  const std::string& text() const noexcept { return choice(0).content; }
  bool any_reasoning() const noexcept;

  const Tokens& tokens() const noexcept { return tokens_; }
  const wire::Identity& identity() const noexcept { return identity_; }

  /// Events with content: about as many as tokens, where a node tells no ids.
  std::uint32_t events() const noexcept { return events_; }

 private:
  Choice& at(std::size_t index);
  void add(std::string& to, std::string_view text);
  void note_beginnings(std::string_view data);
  void note_parts(std::string_view data);

  std::vector<Choice> choices_;
  Tokens tokens_;
  wire::Identity identity_;
  std::size_t size_ = 0;
  std::uint32_t events_ = 0;
  bool began_ = false;
  bool opaque_ = false;
};

}  // namespace llmroute::detail

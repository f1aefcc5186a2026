/// What the model says, token by token: a pure function of what it was asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tokens.hpp"

namespace mock {

struct Manner {
  int choice = 0;
  bool thinking = false;  ///< a few words of thought before the answer
  int length = 0;         ///< tokens after which the answer ends by itself; 0: never
};

/// Words without end or up to the length; for a question that brings tools, a call of the first
/// one.
class Speech {
 public:
  Speech(const Ids& asked, const Manner& manner);

  int next();
  bool over() const noexcept { return over_; }  ///< end_of_turn has been given
  bool in_thought() const noexcept { return in_thought_; }
  void skip_thought();

 private:
  void think();
  void call(const Ids& asked);
  void speak();
  std::uint64_t chance() noexcept;

  std::uint64_t seed_;
  std::uint64_t at_ = 0;
  int length_;
  bool wide_;
  bool in_thought_ = false;
  bool over_ = false;
  int spoken_ = 0;  // tokens, those of thoughts aside
  Ids ready_{};     // given from `given_` on
  std::size_t given_ = 0;
};

struct Continuation {
  Ids ids{};
  std::string held{};  ///< half a character that the answer so far ends with
  bool in_thought = false;
};

/// What comes after `prompt`, at most `most` tokens (0: any number, which asks for a length). When
/// the prompt ends with the beginning of the answer, by ids or by text, it is the rest of that very
/// answer.
Continuation go_on(const Ids& prompt, Manner manner, std::size_t most);

}  // namespace mock

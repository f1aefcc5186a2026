#include "speech.hpp"

#include <algorithm>
#include <llmroute/core/rng.hpp>

#include "prompt.hpp"
#include "tool_call.hpp"
#include "utf8.hpp"

namespace mock {

namespace {

constexpr int words_of_thought = 6;

/// FNV-1a: the same on every machine.
std::uint64_t hash(std::string_view text) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

bool not_ascii(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

/// Says what has been said already. What its last token has beyond that is the rest.
bool repeat(Speech& speech, const std::string& begun, Ids& rest) {
  std::string said;
  while (said.size() < begun.size() && !speech.over() && begun.starts_with(said))
    said += bytes_of(speech.next());
  if (!said.starts_with(begun)) return false;
  append_ids(rest, std::string_view(said).substr(begun.size()));
  return true;
}

}  // namespace

Speech::Speech(const Ids& asked, const Manner& manner) : length_(manner.length) {
  const std::string text = bytes_of(asked);
  seed_ = hash(text) + static_cast<std::uint64_t>(manner.choice) * 1'000'003;
  wide_ = not_ascii(text);
  if (asked.empty() || asked.back() != assistant_turn) return;
  if (wants_call(asked)) {
    call(asked);
  } else if (manner.thinking) {
    think();
  }
}

std::uint64_t Speech::chance() noexcept { return llmroute::Rng(seed_ + at_++)(); }

void Speech::think() {
  in_thought_ = true;
  for (int i = 0; i < words_of_thought; ++i) {
    const Ids one = word(wide_, chance());
    ready_.insert(ready_.end(), one.begin(), one.end());
  }
  ready_.push_back(end_of_thought);
}

void Speech::call(const Ids& asked) {
  ready_ = call_ids(asked, chance());
  ready_.push_back(end_of_turn);
}

void Speech::speak() {
  ready_ = length_ > 0 && spoken_ + 1 >= length_ ? Ids{end_of_turn} : word(wide_, chance());
  given_ = 0;
  spoken_ += static_cast<int>(ready_.size());
}

int Speech::next() {
  if (given_ == ready_.size()) speak();
  const int id = ready_[given_++];
  if (id == end_of_thought) in_thought_ = false;
  over_ = id == end_of_turn;
  return id;
}

void Speech::skip_thought() {
  while (in_thought_) next();
}

Continuation go_on(const Ids& prompt, Manner manner, std::size_t most) {
  const auto [asked, begun] = split(prompt);
  Continuation out;
  Speech speech(asked, manner);
  if (!repeat(speech, begun, out.ids)) {
    speech = Speech(asked, manner);
    speech.skip_thought();  // conversations are written down without thoughts
    if (!repeat(speech, begun, out.ids)) speech = Speech(prompt, manner);
  }
  out.held = begun.substr(whole_characters(begun));
  out.in_thought = speech.in_thought();
  while (!speech.over() && (most == 0 || out.ids.size() < most)) out.ids.push_back(speech.next());
  if (most > 0 && out.ids.size() > most) out.ids.resize(most);
  return out;
}

}  // namespace mock

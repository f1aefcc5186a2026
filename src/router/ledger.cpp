#include "router/ledger.hpp"

#include <algorithm>

namespace llmroute::detail {

namespace {
constexpr std::size_t most_choices = 128;
}

const Ledger::Choice& Ledger::choice(std::size_t index) const noexcept {
  static const Choice none;
  return index < choices_.size() ? choices_[index] : none;
}

Ledger::Choice& Ledger::at(std::size_t index) {
  if (index >= choices_.size()) choices_.resize(index + 1);
  return choices_[index];
}

bool Ledger::any_reasoning() const noexcept {
  return std::any_of(choices_.begin(), choices_.end(),
                     [](const Choice& choice) { return !choice.reasoning.empty(); });
}

void Ledger::add(std::string& to, std::string_view text) {
  size_ += text.size();
  if (size_ <= limit) to += text;
}

/// Nearly every chunk carries text of the first choice and nothing else: that is read already.
void Ledger::note(std::string_view data, const wire::ChunkView& chunk) {
  if (!began_) {
    began_ = true;
    identity_ = wire::read_identity(data);
  }
  if (!chunk.has_content && chunk.finished_choices == 0) return note_beginnings(data);
  if (chunk.has_content) ++events_;
  if (!chunk.text_only || chunk.finished_choices > 1) return note_parts(data);
  if (chunk.has_content && size_ <= limit) {
    at(0).begun = true;
    std::string& text = at(0).content;
    const std::size_t before = text.size();
    wire::append_text(text, chunk);
    size_ += text.size() - before;
  }
  if (chunk.finished_choices == 1) at(0).finished = true;
}

/// A chunk without content, as each choice may begin with.
void Ledger::note_beginnings(std::string_view data) {
  if (data.empty()) return;  // a comment
  for (const wire::Delta& delta : wire::read_deltas(data)) {
    const auto index = static_cast<std::size_t>(delta.index);
    if (delta.index >= 0 && index < most_choices) at(index).begun = true;
  }
}

void Ledger::note_parts(std::string_view data) {
  for (const wire::Delta& delta : wire::read_deltas(data)) {
    const auto index = static_cast<std::size_t>(delta.index);
    if (delta.opaque || delta.index < 0 || index >= most_choices) {
      opaque_ = true;
      continue;
    }
    Choice& choice = at(index);
    choice.begun = true;
    add(choice.content, delta.content);
    add(choice.reasoning, delta.reasoning);
    add(choice.refusal, delta.refusal);
    if (!delta.finish_reason.empty()) choice.finished = true;
  }
}

std::vector<std::uint32_t> Ledger::drop_incomplete() {
  std::vector<std::uint32_t>& answer = tokens_.answer;
  const auto from = answer.begin() + static_cast<std::ptrdiff_t>(tokens_.complete);
  std::vector<std::uint32_t> dropped(from, answer.end());
  answer.erase(from, answer.end());
  return dropped;
}

void Ledger::note_tokens(std::string_view data, const wire::ChunkView& chunk) {
  const auto ids_at = [&](wire::Span span) {
    return wire::read_token_ids(data.substr(span.offset, span.length));
  };
  if (chunk.prompt_token_ids_at.length != 0 && tokens_.prompt.empty()) {
    tokens_.prompt = ids_at(chunk.prompt_token_ids_at);
    tokens_.known = tokens_.answer.empty();
    size_ += tokens_.prompt.size() * sizeof(std::uint32_t);
  }
  if (!tokens_.known) return;
  if (chunk.token_ids_at.length == 0) {
    if (chunk.has_content) forget_tokens();  // text without its ids
    return;
  }
  const std::vector<std::uint32_t> ids = ids_at(chunk.token_ids_at);
  tokens_.answer.insert(tokens_.answer.end(), ids.begin(), ids.end());
  size_ += ids.size() * sizeof(std::uint32_t);
  if (!chunk.text.empty()) tokens_.complete = tokens_.answer.size();
}

}  // namespace llmroute::detail

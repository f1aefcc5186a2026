#include <simdjson.h>

#include <algorithm>
#include <llmroute/wire/chunk_shape.hpp>

namespace llmroute::wire {

namespace {

/// Whether this is the whole inside of a JSON string that means what it says.
bool plain_text(std::string_view inside) noexcept {
  unsigned char high = 0;
  for (const char c : inside) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == '\\') return false;
    high |= byte;
  }
  return high < 0x80 || simdjson::validate_utf8(inside.data(), inside.size());
}

}  // namespace

ChunkView ChunkShape::read(std::string_view data) {
  if (!fits(data)) {
    const ChunkView view = read_chunk(data);
    learn(data, view);
    return view;
  }
  ChunkView view = view_;
  view.text = data.substr(before_.size(), data.size() - before_.size() - behind_.size());
  if (view.model_offset > before_.size()) view.model_offset += view.text.size();
  return view;
}

bool ChunkShape::fits(std::string_view data) const noexcept {
  const std::size_t around = before_.size() + behind_.size();
  return !behind_.empty() && data.size() > around && data.starts_with(before_) &&
         data.ends_with(behind_) && plain_text(data.substr(before_.size(), data.size() - around));
}

/// Only chunks that say nothing but text: whatever else they carry may change with each.
void ChunkShape::learn(std::string_view data, const ChunkView& view) {
  const bool only_text = view.json_ok && !view.is_error && view.text_only && !view.text.empty() &&
                         view.seen_choices == 1 && view.finished_choices == 0 && !view.has_usage &&
                         view.token_ids_at.length == 0 && view.prompt_token_ids_at.length == 0;
  if (!only_text) return;
  const auto text_at = static_cast<std::size_t>(view.text.data() - data.data());
  before_.assign(data.substr(0, text_at));
  behind_.assign(data.substr(text_at + view.text.size()));
  view_ = view;
  if (view_.model_offset > text_at) view_.model_offset -= view.text.size();
  view_.text = {};
}

}  // namespace llmroute::wire

#include <llmroute/wire/json_text.hpp>
#include <llmroute/wire/model_name.hpp>

namespace llmroute::wire {

namespace {

std::string inside(std::string_view text) {
  const std::string quoted = json_quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

/// What names of models are made of. A dot may also end a sentence: see stands_alone.
bool is_name_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '_' || c == '/' || c == ':' || c == '@' || static_cast<unsigned char>(c) >= 0x80;
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t length) noexcept {
  const auto name_char_at = [&](std::size_t i) { return i < text.size() && is_name_char(text[i]); };
  const std::size_t end = at + length;
  const bool dot_goes_on = end < text.size() && text[end] == '.' && name_char_at(end + 1);
  const bool dot_before = at > 0 && text[at - 1] == '.';
  return !(at > 0 && is_name_char(text[at - 1])) && !dot_before && !name_char_at(end) &&
         !dot_goes_on;
}

}  // namespace

std::string with_model_name(std::string_view text, std::string_view model_id,
                            std::string_view name) {
  const std::string from = inside(model_id);
  const std::string to = inside(name);
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find(from); !from.empty() && at != std::string_view::npos;
       at = text.find(from, at + from.size())) {
    if (!stands_alone(text, at, from.size())) continue;
    out.append(text.substr(copied, at - copied)).append(to);
    copied = at + from.size();
  }
  return out.append(text.substr(copied)), out;
}

}  // namespace llmroute::wire

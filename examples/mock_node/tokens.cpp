#include "tokens.hpp"

#include <array>

namespace mock {

namespace {

constexpr int first_piece = 100;
constexpr int first_bytes = 1000;
constexpr int of_two = 0x100;  // from here two bytes, counted from first_bytes
constexpr int of_three = of_two + 0x10000;
constexpr int end_of_bytes = of_three + 0x1000000;
constexpr std::size_t piece_size = 3;

constexpr std::array<std::string_view, end_of_marks> names{
    "<|end|>", "<|system|>", "<|user|>",    "<|assistant|>", "<|tool|>",
    "<tools>", "</think>",   "<tool_call>", "</tool_call>"};

constexpr std::size_t ascii_words = 16;
constexpr auto pieces = std::to_array<std::string_view>(
    {"light ", "river ", "stone ", "cloud ", "green ", "silver ", "quiet ", "north ", "amber ",
     "field ", "winter ", "paper ", "bright ", "garden ", "copper ", "early ",
     // größe naïve 日本 привет 🌍 café señal 水
     "gr\xc3", "\xb6\xc3\x9f", "e ", "na\xc3", "\xafve ", "\xe6\x97", "\xa5\xe6", "\x9c\xac ",
     "\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\xb2\xd0\xb5\xd1", "\x82 ", "\xf0\x9f", "\x8c", "\x8d ",
     "caf\xc3", "\xa9 ", "se\xc3",
     "\xb1"
     "al ",
     "\xe6\xb0", "\xb4 "});

struct Run {
  int first;
  int count;
};
constexpr auto wide_words =
    std::to_array<Run>({{16, 3}, {19, 2}, {21, 3}, {24, 3}, {27, 3}, {30, 2}, {32, 2}, {34, 2}});

int id_of(std::string_view bytes) {
  int value = 0;
  for (const char byte : bytes) value = value * 0x100 + static_cast<unsigned char>(byte);
  return first_bytes + (bytes.size() == 1 ? 0 : bytes.size() == 2 ? of_two : of_three) + value;
}

}  // namespace

bool is_token(std::int64_t id) noexcept {
  if (id < first_piece) return id >= 0 && id < end_of_marks;
  if (id < first_bytes) return is_piece(static_cast<int>(id));
  return id < first_bytes + end_of_bytes;
}

bool is_piece(int id) noexcept {
  return id >= first_piece && id < first_piece + static_cast<int>(pieces.size());
}

std::string bytes_of(int id) {
  if (id < first_piece) return std::string(names[static_cast<std::size_t>(id)]);
  if (id < first_bytes) return std::string(pieces[static_cast<std::size_t>(id - first_piece)]);
  const int value = id - first_bytes;
  const auto byte = [](int bits) { return static_cast<char>(bits & 0xff); };
  if (value < of_two) return {byte(value)};
  if (value < of_three) return {byte((value - of_two) >> 8), byte(value - of_two)};
  const int three = value - of_three;
  return {byte(three >> 16), byte(three >> 8), byte(three)};
}

std::string bytes_of(const Ids& ids) {
  std::string out;
  for (const int id : ids) out += bytes_of(id);
  return out;
}

void append_ids(Ids& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += piece_size)
    out.push_back(id_of(text.substr(at, piece_size)));
}

Ids word(bool wide, std::uint64_t chance) {
  const std::size_t pick = chance % (wide ? ascii_words + wide_words.size() : ascii_words);
  if (pick < ascii_words) return {first_piece + static_cast<int>(pick)};
  Ids out;
  const Run& run = wide_words[pick - ascii_words];
  for (int i = 0; i < run.count; ++i) out.push_back(first_piece + run.first + i);
  return out;
}

}  // namespace mock

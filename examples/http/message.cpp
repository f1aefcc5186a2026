/// Fields and reason phrases.
#include "message.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <llmroute/headers.hpp>

namespace http {
namespace {

constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

std::optional<std::string_view> Request::find(std::string_view name) const noexcept {
  for (const FieldPlace& field : fields_) {
    if (llmroute::same_field_name(view(field.name), name)) return view(field.value);
  }
  return std::nullopt;
}

/// Eight characters at a time (Hacker's Delight, section 6-1): a set high bit means that one of
/// them may be a control character, and then each is looked at.
bool is_field_text(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr auto control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data(), sizeof eight);
    const std::uint64_t delete_is_zero = eight ^ (ones * 0x7f);
    const std::uint64_t low =
        ((eight - ones * 0x20) & ~eight) | ((delete_is_zero - ones) & ~delete_is_zero);
    if ((low & (ones * 0x80)) == 0) continue;
    if (std::any_of(text.begin(), text.begin() + sizeof eight, control)) return false;
  }
  return std::none_of(text.begin(), text.end(), control);
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_table[static_cast<unsigned char>(c)];
  });
}

Fields& Fields::add(std::string_view name, std::string_view value) {
  if (!is_field_text(value)) return *this;
  if (text_.empty()) text_.reserve(256);
  text_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

std::string_view reason_phrase(int status) noexcept {
  static constexpr std::array<std::pair<int, std::string_view>, 23> phrases = {{
      {200, "OK"},
      {201, "Created"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  const auto found = std::find_if(phrases.begin(), phrases.end(),
                                  [status](const auto& phrase) { return phrase.first == status; });
  return found == phrases.end() ? std::string_view("Status") : found->second;
}

}  // namespace http

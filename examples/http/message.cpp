/// Fields and reason phrases.
#include "message.hpp"

#include <algorithm>
#include <array>
#include <llmroute/headers.hpp>

namespace http {

std::optional<std::string_view> Request::find(std::string_view name) const noexcept {
  for (const FieldPlace& field : fields_) {
    if (llmroute::same_field_name(view(field.name), name)) return view(field.value);
  }
  return std::nullopt;
}

Fields& Fields::add(std::string_view name, std::string_view value) {
  const bool bad = std::any_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (bad) return *this;
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

/// The checks libcurl leaves out, line by line.
#include "net/response_head.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace llmroute::net {

namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The line without its end.
std::string_view content(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::uint64_t> decimal(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end || value > INT64_MAX) return std::nullopt;
  return value;
}

bool has_stray_control(std::string_view text) noexcept {
  return std::memchr(text.data(), '\r', text.size()) != nullptr ||
         std::memchr(text.data(), '\0', text.size()) != nullptr;
}

}  // namespace

const char* ResponseHead::add(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > max_bytes) return "response head beyond 64 KiB";
  if (++lines_ > max_lines) return "response head beyond 200 lines";
  const std::string_view text = content(line);
  if (has_stray_control(text)) return "a CR or NUL within a response header";
  if (complete_) return nullptr;  // trailers: counted, dropped
  if (!in_head_) return begin(text);
  return text.empty() ? end_of_head() : field(text);
}

/// "HTTP/1.1 200 OK"; "HTTP/2 200 "
const char* ResponseHead::begin(std::string_view line) {
  if (!line.starts_with("HTTP/")) return "not an HTTP status line";
  const std::size_t space = line.find(' ');
  const std::string_view digits = space == line.npos ? "" : line.substr(space + 1, 3);
  const std::optional<std::uint64_t> status = decimal(digits);
  if (!status || digits.size() != 3) return "not an HTTP status line";
  status_ = static_cast<int>(*status);
  if (status_ < 100 || status_ > 599) return "a status outside 100..599";
  if (status_ == 101) return "101 Switching Protocols, which was not asked for";
  raw_.clear();
  length_.reset();
  chunked_ = false;
  http_2_ = line.starts_with("HTTP/2");
  in_head_ = true;
  return nullptr;
}

const char* ResponseHead::field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (line.front() == ' ' || line.front() == '\t') return "a folded response header";
  if (colon == line.npos || colon == 0) return "a response header without a name";
  const std::string_view name = line.substr(0, colon);
  if (name.find(' ') != name.npos || name.find('\t') != name.npos)
    return "a space within a response header's name";
  if (same_field_name(name, "content-length")) {
    if (length_) return "two Content-Length headers";
    length_ = decimal(trimmed(line.substr(colon + 1)));
    if (!length_) return "a Content-Length that is no number";
  } else if (same_field_name(name, "transfer-encoding")) {
    if (chunked_) return "two Transfer-Encoding headers";
    if (!same_field_name(trimmed(line.substr(colon + 1)), "chunked"))
      return "an unknown transfer coding";
    chunked_ = true;
  }
  raw_.append(line).push_back('\n');
  return nullptr;
}

const char* ResponseHead::end_of_head() {
  in_head_ = false;
  if (status_ < 200) return ++interim_ > max_interim ? "interim responses without end" : nullptr;
  if (length_ && chunked_) return "both Content-Length and Transfer-Encoding";
  complete_ = true;
  return nullptr;
}

Headers ResponseHead::fields() const {
  Headers fields;
  fields.reserve(static_cast<std::size_t>(lines_));
  std::string_view rest = raw_;
  while (complete_ && !rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::size_t colon = line.find(':');
    fields.add(std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
    rest.remove_prefix(end + 1);
  }
  return fields;
}

}  // namespace llmroute::net

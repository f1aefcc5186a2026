#include "message.hpp"

#include <strings.h>

#include <charconv>

namespace bench {
namespace {

constexpr std::string_view blank_line = "\r\n\r\n";

/// The value of the header `name`, which holds its colon; empty when there is none.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() - at < name.size()) break;
    if (strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    std::string_view value = head.substr(at + name.size());
    value = value.substr(0, value.find("\r\n"));
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

std::size_t number(std::string_view digits, int base) {
  std::size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return value;
}

}  // namespace

std::optional<Message> first_message(std::string_view in) {
  const std::size_t end = in.find(blank_line);
  if (end == in.npos) return std::nullopt;
  const std::string_view head = in.substr(0, end + 2);
  const std::size_t start = end + blank_line.size();
  if (!header(head, "transfer-encoding:").empty())
    return Message{.head = head, .body = {}, .chunked = true, .length = start};
  const std::size_t size = number(header(head, "content-length:"), 10);
  if (in.size() - start < size) return std::nullopt;
  return Message{.head = head, .body = in.substr(start, size), .length = start + size};
}

std::size_t ChunkReader::take(std::string_view in, std::string& body) {
  std::size_t taken = 0;
  while (!done_) {
    const std::string_view rest = in.substr(taken);
    const std::size_t line = rest.find("\r\n");
    if (line == rest.npos) break;
    const std::size_t size = number(rest.substr(0, line), 16);
    const std::size_t whole = line + 2 + size + 2;
    if (rest.size() < whole) break;
    taken += whole;
    done_ = size == 0;
    body.append(rest.substr(line + 2, size));
  }
  return taken;
}

}  // namespace bench

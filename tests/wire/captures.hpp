/// What real engines sent, as recorded.
#pragma once

#include <fstream>
#include <iterator>
#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/sse_parser.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace llmroute::test {

/// The body of a recorded response: what follows the first blank line.
inline std::string capture(const std::string& name) {
  std::ifstream file(LLMROUTE_TEST_DATA "/captures/" + name + ".http", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const std::string blank : {"\r\n\r\n", "\n\n"}) {
    const std::size_t end = text.find(blank);
    if (end != std::string::npos) return text.substr(end + blank.size());
  }
  throw std::runtime_error("no capture " + name);
}

/// The data of a recorded stream's events.
inline std::vector<std::string> captured_events(const std::string& name) {
  const std::string body = capture(name);
  wire::SseParser parser(1 << 20);
  std::vector<std::string> out;
  parser.feed(body);
  while (const auto event = parser.next()) out.emplace_back(event->data);
  return out;
}

}  // namespace llmroute::test

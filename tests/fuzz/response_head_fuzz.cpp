// A response's head, line by line as libcurl hands it over.
#include "net/response_head.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;

LLMROUTE_FUZZ_TARGET(response_head) {
  llmroute::net::ResponseHead head;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    if (head.add(input.substr(0, end)) != nullptr) break;
    input.remove_prefix(end);
  }
  const llmroute::Headers fields = head.fields();
  if (!head.complete()) return require(fields.empty(), "no fields before the head is whole");
  require(head.status() >= 200 && head.status() <= 599, "a status of a final response");
  for (const llmroute::Header& field : fields) {
    require(field.name.find_first_of(" \t\r\n") == std::string::npos, "names are names");
    require(field.value.find_first_of("\r\n") == std::string::npos, "a value is one line");
  }
}

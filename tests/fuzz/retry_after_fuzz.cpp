// When a node says it may be asked again: header fields, one a line.
#include <algorithm>
#include <llmroute/wire/retry_after.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace std::chrono_literals;

LLMROUTE_FUZZ_TARGET(retry_after) {
  llmroute::Headers headers;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const std::size_t colon = std::min(line.find(": "), line.size());
    headers.add(std::string(line.substr(0, colon)),
                std::string(line.substr(std::min(colon + 2, line.size()))));
  }
  const std::chrono::system_clock::time_point now{1700000000s};
  const auto wait = llmroute::wire::retry_after(headers, now);
  require(!wait || *wait >= 0s, "nobody is to come back in the past");
  (void)llmroute::wire::should_retry(headers);
}

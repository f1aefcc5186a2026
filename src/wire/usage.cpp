#include "wire/usage.hpp"

#include <algorithm>
#include <string_view>

namespace llmroute::wire {

namespace {

/// More than any node has counted, and sums of a few are still numbers.
constexpr std::int64_t most_tokens = std::int64_t{1} << 48;

void count(simdjson::ondemand::value value, std::int64_t& out) {
  std::int64_t number = 0;
  if (!value.get_int64().get(number)) out = std::clamp<std::int64_t>(number, 0, most_tokens);
}

/// What /v1/messages says of the prompt beside input_tokens, which leave it out there.
struct Cache {
  std::int64_t read = 0;
  std::int64_t written = 0;
};

void take(Usage& usage, Cache& cache, std::string_view key, simdjson::ondemand::value value) {
  // The second names are those of /v1/responses and /v1/messages; the cache's are of the latter.
  if (key == "prompt_tokens" || key == "input_tokens") count(value, usage.prompt_tokens);
  if (key == "completion_tokens" || key == "output_tokens") count(value, usage.completion_tokens);
  if (key == "cache_read_input_tokens") count(value, cache.read);
  if (key == "cache_creation_input_tokens") count(value, cache.written);
  if (key == "total_tokens") count(value, usage.total_tokens);
  if (key != "prompt_tokens_details" && key != "input_tokens_details") return;
  simdjson::ondemand::object details;
  simdjson::ondemand::value cached;
  if (!value.get_object().get(details) && !details["cached_tokens"].get(cached)) {
    count(cached, usage.cached_tokens);
  }
}

}  // namespace

Usage read_usage(simdjson::ondemand::object object) {
  Usage usage;
  Cache cache;
  bool is_message = false;  // so far
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) break;
    is_message = is_message || key == "input_tokens";
    take(usage, cache, key, value);
  }
  if (cache.read > 0) usage.cached_tokens = cache.read;
  if (usage.total_tokens > 0) return usage;
  // Gateways that translate a message's usage keep the cache's names beside prompt_tokens, which
  // have all of the prompt.
  if (is_message) usage.prompt_tokens += cache.read + cache.written;
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
  return usage;
}

}  // namespace llmroute::wire

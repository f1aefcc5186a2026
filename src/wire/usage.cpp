#include "wire/usage.hpp"

namespace llmroute::wire {

Usage read_usage(simdjson::ondemand::object object) {
  Usage usage;
  const auto count = [](simdjson::ondemand::value value, std::int64_t& out) {
    std::int64_t number = 0;
    if (!value.get_int64().get(number)) out = number;
  };
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) break;
    // The second names are those of /v1/responses and /v1/messages; the cache's is of the latter.
    if (key == "prompt_tokens" || key == "input_tokens") count(value, usage.prompt_tokens);
    if (key == "completion_tokens" || key == "output_tokens") count(value, usage.completion_tokens);
    if (key == "cache_read_input_tokens") count(value, usage.cached_tokens);
    if (key == "total_tokens") count(value, usage.total_tokens);
    if (key == "prompt_tokens_details" || key == "input_tokens_details") {
      simdjson::ondemand::object details;
      simdjson::ondemand::value cached;
      if (!value.get_object().get(details) && !details["cached_tokens"].get(cached)) {
        count(cached, usage.cached_tokens);
      }
    }
  }
  return usage;
}

}  // namespace llmroute::wire

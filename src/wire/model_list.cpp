#include <algorithm>
#include <llmroute/wire/model_list.hpp>

#include "wire/padded.hpp"

namespace llmroute::wire {

namespace od = simdjson::ondemand;

std::optional<std::vector<std::string>> read_model_list(std::string_view body) {
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::array data;
  if (iterate(text).get(document) || document["data"].get_array().get(data)) return std::nullopt;
  std::vector<std::string> ids;
  for (auto item : data) {
    std::string_view id;
    if (item["id"].get_string().get(id)) return std::nullopt;
    ids.emplace_back(id);
  }
  return ids;
}

std::uint32_t read_context_length(std::string_view body, std::string_view model) {
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::array data;
  if (iterate(text).get(document) || document["data"].get_array().get(data)) return 0;
  for (auto item : data) {
    std::string_view id;
    std::uint64_t length = 0;
    if (item["id"].get_string().get(id) || id != model) continue;
    if (item["max_model_len"].get_uint64().get(length)) return 0;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(length, UINT32_MAX));
  }
  return 0;
}

}  // namespace llmroute::wire

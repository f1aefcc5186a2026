#include <llmroute/wire/model_list.hpp>

#include "wire/padded.hpp"

namespace llmroute::wire {

std::optional<std::vector<std::string>> read_model_list(std::string_view body) {
  namespace od = simdjson::ondemand;
  const simdjson::padded_string_view text = padded(body);
  od::document document;
  od::array data;
  if (parser().iterate(text).get(document) || document["data"].get_array().get(data))
    return std::nullopt;
  std::vector<std::string> ids;
  for (auto item : data) {
    std::string_view id;
    if (item["id"].get_string().get(id)) return std::nullopt;
    ids.emplace_back(id);
  }
  return ids;
}

}  // namespace llmroute::wire

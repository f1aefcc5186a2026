/// The look-up.
#include "stored_model.hpp"

#include <utility>

namespace gateway {

StoredModel stored_model(const AdminDesk& desk, const std::string& id) {
  if (const ModelRecord* listed = desk.registry.find_id(id)) {
    return {.refusal = read_only(listed->name, desk.registry.source())};
  }
  auto found = desk.store.model(id);
  if (!found) return {.refusal = refuse(desk, found.error())};
  if (!*found) return {.refusal = no_such("model", id)};
  return {.model = std::move(**found)};
}

}  // namespace gateway

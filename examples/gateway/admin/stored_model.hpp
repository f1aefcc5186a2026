/// The model that a request's path names, for those who are going to change it.
#pragma once

#include "desk.hpp"

namespace gateway {

/// Either the model, or the answer that says why not: 404, 409 for one of the file, 503.
struct StoredModel {
  ModelRecord model{};
  std::optional<AdminAnswer> refusal{};
};
StoredModel stored_model(const AdminDesk& desk, const std::string& id);

}  // namespace gateway

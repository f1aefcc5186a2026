/// Field by field, in the documented order.
#include "shapes.hpp"

#include "gateway/json_value.hpp"

namespace gateway {

std::string admin_json(const BackendRecord& backend) {
  return JsonWriter()
      .add("id", backend.id)
      .add("url", backend.url)
      .add("weight", backend.weight)
      .add("active", backend.active)
      .add("created_at", to_text(backend.created_at))
      .add("updated_at", to_text(backend.updated_at))
      .end();
}

std::string admin_json(const ModelRecord& model, std::string_view source) {
  std::string backends = "[";
  for (const BackendRecord& backend : model.backends) {
    if (backends.size() > 1) backends += ',';
    backends += admin_json(backend);
  }
  JsonWriter out;
  out.add("id", model.id)
      .add("name", model.name)
      .add("model_id", model.model_id)
      .add("active", model.active)
      .add_json("default_params", model.default_params)
      .add_json("reasoning_config", model.reasoning_config)
      .add_json("transforms", model.transforms)
      .add_json("backends", backends += ']')
      .add("created_at", to_text(model.created_at))
      .add("updated_at", to_text(model.updated_at));
  if (!source.empty()) out.add("source", source);
  return out.end();
}

std::string admin_json(const KeyRecord& key) {
  JsonWriter out;
  out.add("id", key.id)
      .add("name", key.name)
      .add("key_prefix", key.prefix)
      .add("active", key.active)
      .add("rpm_limit", key.rpm_limit)
      .add("tpm_limit", key.tpm_limit)
      .add_json("allowed_models", json_list(key.allowed_models));
  if (key.expires_at) {
    out.add("expires_at", to_text(*key.expires_at));
  } else {
    out.add_json("expires_at", "null");
  }
  return out.add("created_at", to_text(key.created_at))
      .add("updated_at", to_text(key.updated_at))
      .end();
}

}  // namespace gateway

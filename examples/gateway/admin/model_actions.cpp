/// Models: read, check, write, note.
#include "model_actions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "body_reader.hpp"
#include "gateway/unique.hpp"
#include "shapes.hpp"
#include "stored_model.hpp"

namespace gateway {
namespace {

using llmroute::Result;

/// The one transform there is.
Result<void> check_transforms(const std::string& transforms) {
  BodyReader in(transforms);
  std::string prefix;
  in.read_text("system_prompt_prefix", prefix);
  return in.end();
}

/// Lays the body's fields over `model`.
Result<void> read_into(ModelRecord& model, BodyReader& in) {
  in.read_name("name", model.name);
  in.read_name("model_id", model.model_id);
  in.read("active", model.active);
  in.read_object("default_params", model.default_params);
  in.read_object("reasoning_config", model.reasoning_config);
  in.read_object("transforms", model.transforms);
  if (auto read = in.end(); !read) return read;
  return check_transforms(model.transforms);
}

/// Why a model may not be called so; none: it may.
std::optional<AdminAnswer> name_taken(const AdminDesk& desk, const ModelRecord& model) {
  if (desk.registry.find(model.name) != nullptr) {
    return clash("name",
                 fmt::format("model \"{}\" is in {}, whose entries come first; take another "
                             "name, or change it there",
                             model.name, desk.registry.source()));
  }
  const auto models = desk.store.models();
  if (!models) return refuse(desk, models.error());
  const bool taken = std::any_of(models->begin(), models->end(), [&](const ModelRecord& other) {
    return other.name == model.name && other.id != model.id;
  });
  if (!taken) return std::nullopt;
  return clash("name", fmt::format("there is a model \"{}\" already", model.name));
}

}  // namespace

AdminAnswer list_models(const AdminDesk& desk, const AdminRequest&) {
  const auto models = desk.store.models();
  if (!models) return refuse(desk, models.error());
  std::string out = "[";
  const auto append = [&out](const std::string& json) {
    if (out.size() > 1) out += ',';
    out += json;
  };
  for (const ModelRecord& model : *models) append(admin_json(model));
  for (const ModelRecord& model : desk.registry.models()) {
    append(admin_json(model, desk.registry.source()));
  }
  return {.body = out += ']'};
}

AdminAnswer create_model(const AdminDesk& desk, const AdminRequest& request) {
  const Timestamp now = now_timestamp();
  ModelRecord model{.id = make_uuid(), .created_at = now, .updated_at = now};
  BodyReader in(request.body);
  in.require("name");
  if (auto read = read_into(model, in); !read) return refuse(desk, read.error());
  if (model.model_id.empty()) model.model_id = model.name;
  if (auto taken = name_taken(desk, model)) return *taken;
  if (auto done = desk.store.insert(model); !done) return refuse(desk, done.error());
  std::string json = admin_json(model);
  if (auto noted =
          note(desk, request.who, {.action = "model.create", .subject = model.id, .after = json});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.status = 201, .body = std::move(json)};
}

AdminAnswer read_model(const AdminDesk& desk, const AdminRequest& request) {
  const std::string& id = request.ids.front();
  if (const ModelRecord* listed = desk.registry.find_id(id)) {
    return {.body = admin_json(*listed, desk.registry.source())};
  }
  StoredModel stored = stored_model(desk, id);
  if (stored.refusal) return *stored.refusal;
  return {.body = admin_json(stored.model)};
}

AdminAnswer change_model(const AdminDesk& desk, const AdminRequest& request) {
  StoredModel stored = stored_model(desk, request.ids.front());
  if (stored.refusal) return *stored.refusal;
  ModelRecord& model = stored.model;
  std::string before = admin_json(model);
  BodyReader in(request.body);
  if (auto read = read_into(model, in); !read) return refuse(desk, read.error());
  if (auto taken = name_taken(desk, model)) return *taken;
  model.updated_at = now_timestamp();
  if (auto done = desk.store.update(model); !done) return refuse(desk, done.error());
  std::string json = admin_json(model);
  if (auto noted = note(desk, request.who,
                        {.action = "model.update",
                         .subject = model.id,
                         .before = std::move(before),
                         .after = json});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.body = std::move(json)};
}

AdminAnswer delete_model(const AdminDesk& desk, const AdminRequest& request) {
  StoredModel stored = stored_model(desk, request.ids.front());
  if (stored.refusal) return *stored.refusal;
  const std::string& id = stored.model.id;
  if (auto done = desk.store.remove_model(id); !done) return refuse(desk, done.error());
  if (auto noted =
          note(desk, request.who,
               {.action = "model.delete", .subject = id, .before = admin_json(stored.model)});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.status = 204};
}

}  // namespace gateway

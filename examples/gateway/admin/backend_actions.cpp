/// Backends of a model of the store: read, check, write, note.
#include "backend_actions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "body_reader.hpp"
#include "gateway/node_url.hpp"
#include "gateway/unique.hpp"
#include "shapes.hpp"
#include "stored_model.hpp"

namespace gateway {
namespace {

using llmroute::Result;

Result<void> read_into(BackendRecord& backend, BodyReader& in) {
  std::string url = backend.url;
  in.read_name("url", url);
  in.read_weight("weight", backend.weight);
  in.read("active", backend.active);
  if (auto read = in.end(); !read) return read;
  auto spelt = node_url(url);
  if (!spelt) return std::move(spelt.error());
  backend.url = std::move(*spelt);
  return {};
}

/// The same node twice in one model would be one node with two weights.
std::optional<AdminAnswer> url_taken(const ModelRecord& model, const BackendRecord& backend) {
  const bool taken =
      std::any_of(model.backends.begin(), model.backends.end(), [&](const BackendRecord& other) {
        return other.url == backend.url && other.id != backend.id;
      });
  if (!taken) return std::nullopt;
  return clash("url",
               fmt::format("model \"{}\" has the backend {} already", model.name, backend.url));
}

/// The backend that the path names, or the refusal.
struct StoredBackend {
  ModelRecord model{};
  BackendRecord backend{};
  std::optional<AdminAnswer> refusal{};
};
StoredBackend stored_backend(const AdminDesk& desk, const AdminRequest& request) {
  StoredModel stored = stored_model(desk, request.ids[0]);
  if (stored.refusal) return {.refusal = std::move(stored.refusal)};
  const auto& backends = stored.model.backends;
  const auto found = std::find_if(backends.begin(), backends.end(), [&](const BackendRecord& one) {
    return one.id == request.ids[1];
  });
  if (found == backends.end()) return {.refusal = no_such("backend", request.ids[1])};
  BackendRecord backend = *found;
  return {.model = std::move(stored.model), .backend = std::move(backend)};
}

}  // namespace

AdminAnswer add_backend(const AdminDesk& desk, const AdminRequest& request) {
  StoredModel stored = stored_model(desk, request.ids.front());
  if (stored.refusal) return *stored.refusal;
  const Timestamp now = now_timestamp();
  BackendRecord backend{
      .id = make_uuid(), .model = stored.model.id, .created_at = now, .updated_at = now};
  BodyReader in(request.body);
  in.require("url");
  if (auto read = read_into(backend, in); !read) return refuse(desk, read.error());
  if (auto taken = url_taken(stored.model, backend)) return *taken;
  if (auto done = desk.store.insert(backend); !done) return refuse(desk, done.error());
  std::string json = admin_json(backend);
  if (auto noted = note(desk, request.who,
                        {.action = "backend.create", .subject = backend.id, .after = json});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.status = 201, .body = std::move(json)};
}

AdminAnswer change_backend(const AdminDesk& desk, const AdminRequest& request) {
  StoredBackend stored = stored_backend(desk, request);
  if (stored.refusal) return *stored.refusal;
  BackendRecord& backend = stored.backend;
  std::string before = admin_json(backend);
  BodyReader in(request.body);
  if (auto read = read_into(backend, in); !read) return refuse(desk, read.error());
  if (auto taken = url_taken(stored.model, backend)) return *taken;
  backend.updated_at = now_timestamp();
  if (auto done = desk.store.update(backend); !done) return refuse(desk, done.error());
  std::string json = admin_json(backend);
  if (auto noted = note(desk, request.who,
                        {.action = "backend.update",
                         .subject = backend.id,
                         .before = std::move(before),
                         .after = json});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.body = std::move(json)};
}

AdminAnswer delete_backend(const AdminDesk& desk, const AdminRequest& request) {
  StoredBackend stored = stored_backend(desk, request);
  if (stored.refusal) return *stored.refusal;
  const std::string& id = stored.backend.id;
  if (auto done = desk.store.remove_backend(id); !done) return refuse(desk, done.error());
  if (auto noted =
          note(desk, request.who,
               {.action = "backend.delete", .subject = id, .before = admin_json(stored.backend)});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.status = 204};
}

}  // namespace gateway

/// Keys: read, check, write, note. A key itself is in one answer, and nowhere else.
#include "key_actions.hpp"

#include <utility>

#include "body_reader.hpp"
#include "gateway/digest.hpp"
#include "gateway/unique.hpp"
#include "shapes.hpp"

namespace gateway {
namespace {

using llmroute::Result;

/// What only a change may say beside what creating a key may.
enum class Active : bool { refused, read };

Result<void> read_into(KeyRecord& key, BodyReader& in, Active active) {
  in.read_name("name", key.name);
  in.read_limit("rpm_limit", key.rpm_limit);
  in.read_limit("tpm_limit", key.tpm_limit);
  in.read_names("allowed_models", key.allowed_models);
  in.read_moment("expires_at", key.expires_at);
  if (active == Active::read) in.read("active", key.active);
  return in.end();
}

/// The key that the path names, or the refusal.
struct StoredKey {
  KeyRecord key{};
  std::optional<AdminAnswer> refusal{};
};
StoredKey stored_key(const AdminDesk& desk, const AdminRequest& request) {
  auto found = desk.store.key(request.ids.front());
  if (!found) return {.refusal = refuse(desk, found.error())};
  if (!*found) return {.refusal = no_such("key", request.ids.front())};
  return {.key = std::move(**found)};
}

/// Writes a changed key, and notes it.
std::optional<AdminAnswer> update(const AdminDesk& desk, const AdminRequest& request,
                                  std::string_view action, std::string before, KeyRecord& key) {
  key.updated_at = now_timestamp();
  if (auto done = desk.store.update(key); !done) return refuse(desk, done.error());
  auto noted = note(
      desk, request.who,
      {.action = action, .subject = key.id, .before = std::move(before), .after = admin_json(key)});
  if (!noted) return refuse(desk, noted.error());
  return std::nullopt;
}

}  // namespace

AdminAnswer list_keys(const AdminDesk& desk, const AdminRequest&) {
  const auto keys = desk.store.keys();
  if (!keys) return refuse(desk, keys.error());
  std::string out = "[";
  for (const KeyRecord& key : *keys) {
    if (out.size() > 1) out += ',';
    out += admin_json(key);
  }
  return {.body = out += ']'};
}

AdminAnswer create_key(const AdminDesk& desk, const AdminRequest& request) {
  const Timestamp now = now_timestamp();
  const std::string secret = make_key();
  KeyRecord key{.id = make_uuid(),
                .hash = hex_of(sha256(secret)),
                .prefix = prefix_of(secret),
                .created_at = now,
                .updated_at = now};
  BodyReader in(request.body);
  in.require("name");
  if (auto read = read_into(key, in, Active::refused); !read) return refuse(desk, read.error());
  if (auto done = desk.store.insert(key); !done) return refuse(desk, done.error());
  std::string json = admin_json(key);
  if (auto noted =
          note(desk, request.who, {.action = "key.create", .subject = key.id, .after = json});
      !noted) {
    return refuse(desk, noted.error());
  }
  return {.status = 201, .body = JsonWriter().add("key", secret).add_json("api_key", json).end()};
}

AdminAnswer read_key(const AdminDesk& desk, const AdminRequest& request) {
  StoredKey stored = stored_key(desk, request);
  if (stored.refusal) return *stored.refusal;
  return {.body = admin_json(stored.key)};
}

AdminAnswer change_key(const AdminDesk& desk, const AdminRequest& request) {
  StoredKey stored = stored_key(desk, request);
  if (stored.refusal) return *stored.refusal;
  std::string before = admin_json(stored.key);
  BodyReader in(request.body);
  if (auto read = read_into(stored.key, in, Active::read); !read) return refuse(desk, read.error());
  if (auto failed = update(desk, request, "key.update", std::move(before), stored.key)) {
    return *failed;
  }
  return {.body = admin_json(stored.key)};
}

AdminAnswer revoke_key(const AdminDesk& desk, const AdminRequest& request) {
  StoredKey stored = stored_key(desk, request);
  if (stored.refusal) return *stored.refusal;
  std::string before = admin_json(stored.key);
  stored.key.active = false;
  if (auto failed = update(desk, request, "key.revoke", std::move(before), stored.key)) {
    return *failed;
  }
  return {.status = 204};
}

}  // namespace gateway

/// Transactions around actions, and what follows from them.
#include "administration.hpp"

#include <array>
#include <exception>
#include <utility>

#include "backend_actions.hpp"
#include "key_actions.hpp"
#include "model_actions.hpp"

namespace gateway {
namespace {

using llmroute::Error;
using llmroute::ErrorCode;
using llmroute::Result;

/// What an action may change, and so what has to follow.
enum class Changes : std::uint8_t { nothing, keys, models };

struct Action {
  Endpoint endpoint;
  Changes changes;
  AdminAnswer (*run)(const AdminDesk&, const AdminRequest&);
};

constexpr std::array actions = {
    Action{Endpoint::list_models, Changes::nothing, list_models},
    Action{Endpoint::create_model, Changes::models, create_model},
    Action{Endpoint::read_model, Changes::nothing, read_model},
    Action{Endpoint::change_model, Changes::models, change_model},
    Action{Endpoint::delete_model, Changes::models, delete_model},
    Action{Endpoint::add_backend, Changes::models, add_backend},
    Action{Endpoint::change_backend, Changes::models, change_backend},
    Action{Endpoint::delete_backend, Changes::models, delete_backend},
    Action{Endpoint::list_keys, Changes::nothing, list_keys},
    Action{Endpoint::create_key, Changes::keys, create_key},
    Action{Endpoint::read_key, Changes::nothing, read_key},
    Action{Endpoint::change_key, Changes::keys, change_key},
    Action{Endpoint::revoke_key, Changes::keys, revoke_key},
};

const Action& action_for(Endpoint endpoint) {
  for (const Action& action : actions) {
    if (action.endpoint == endpoint) return action;
  }
  return actions.front();  // the route table sends no other here; a test holds that
}

template <class T>
Result<void> keep(Result<T> found, T& out) {
  if (!found) return std::move(found.error());
  out = std::move(*found);
  return {};
}

Result<void> read_all(Store& store, std::vector<ModelRecord>& models, std::vector<KeyRecord>& keys,
                      std::int64_t& revision) {
  if (auto kept = keep(store.revision(), revision); !kept) return kept;
  if (auto kept = keep(store.models(), models); !kept) return kept;
  return keep(store.keys(), keys);
}

}  // namespace

Result<Opened> open_for_server(const std::string& url) {
  auto store = open_store(url, Holding::alone);
  if (!store) return std::move(store.error());
  Opened opened{.store = std::move(*store)};
  auto read = read_all(*opened.store, opened.models, opened.keys, opened.revision);
  if (!read) return read.error();
  return opened;
}

Administration::Administration(Opened opened, llmroute::Duration refresh, Catalogue& catalogue,
                               KeyRing& ring, const Log& log)
    : store_(std::move(opened.store)),
      models_(std::move(opened.models)),
      keys_(std::move(opened.keys)),
      revision_(opened.revision),
      catalogue_(catalogue),
      ring_(ring),
      log_(log),
      thread_([this] { this->refresh(); }, refresh) {}

void Administration::answer(AdminRequest request, std::function<void(AdminAnswer)> done) {
  thread_.post([this, request = std::move(request), done = std::move(done)] {
    AdminAnswer answer;
    try {
      answer = work_off(request);
    } catch (const std::exception&) {  // no memory; the transaction is undone
      answer = refused(Error{.code = ErrorCode::internal});
    }
    done(std::move(answer));
  });
}

AdminAnswer Administration::work_off(const AdminRequest& request) {
  const auto registry = catalogue_.registry();
  const AdminDesk desk{.store = *store_, .registry = *registry, .log = log_};
  const Action& action = action_for(request.endpoint);
  return action.changes == Changes::nothing ? action.run(desk, request) : change(request, desk);
}

/// All is read again before the change is acknowledged, so that nothing can fail between that and
/// its being in force.
AdminAnswer Administration::change(const AdminRequest& request, const AdminDesk& desk) {
  auto transaction = store_->transaction();
  if (!transaction) return refuse(desk, transaction.error());
  const Action& action = action_for(request.endpoint);
  AdminAnswer answer = action.run(desk, request);
  if (!answer.good()) return answer;
  std::vector<ModelRecord> models;
  std::vector<KeyRecord> keys;
  std::int64_t revision = 0;
  if (auto read = read_all(*store_, models, keys, revision); !read)
    return refuse(desk, read.error());
  if (action.changes == Changes::models) {
    if (auto good = catalogue_.check(models); !good) return refuse(desk, good.error());
  }
  if (auto done = transaction->commit(); !done) return refuse(desk, done.error());
  models_ = std::move(models);
  keys_ = std::move(keys);
  revision_ = revision;
  ring_.publish(table_of(keys_));
  if (action.changes == Changes::models) put_models_in_force();
  return answer;
}

void Administration::put_models_in_force() {
  const auto changed = catalogue_.replace_stored(models_);
  if (changed) return;
  log_.line(LogLevel::error, "registry").add("error", changed.error().message);
}

/// Commands change the store beside a running server.
void Administration::refresh() {
  const auto now = store_->revision();
  if (!now) {
    log_.line(LogLevel::warn, "store").add("error", now.error().message);
    return;
  }
  if (*now == revision_) return;
  if (auto read = read_all(*store_, models_, keys_, revision_); !read) {
    revision_ = -1;  // not whole: once more, next time
    log_.line(LogLevel::warn, "store").add("error", read.error().message);
    return;
  }
  ring_.publish(table_of(keys_));
  put_models_in_force();
}

}  // namespace gateway

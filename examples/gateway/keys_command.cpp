/// The admin API's actions, from the command line.
#include "keys_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "admin/key_actions.hpp"
#include "json_value.hpp"

namespace gateway {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_wrong_arguments = 2;

int fail(std::string_view message, int code) {
  fmt::print(stderr, "llmroute-gateway: {}\n", message);
  return code;
}

std::string body_of(const KeysArguments& arguments) {
  JsonWriter out;
  out.add("name", arguments.name)
      .add("rpm_limit", arguments.rpm_limit)
      .add("tpm_limit", arguments.tpm_limit)
      .add_json("allowed_models", json_list(arguments.allowed_models));
  if (arguments.expires_at) out.add("expires_at", *arguments.expires_at);
  return out.end();
}

struct Action {
  std::string_view what;
  AdminAnswer (*run)(const AdminDesk&, const AdminRequest&);
};
constexpr std::array actions = {Action{"create", create_key}, Action{"list", list_keys},
                                Action{"revoke", revoke_key}};

/// An action and what it wrote, whole or not at all.
AdminAnswer run(const AdminDesk& desk, const AdminRequest& request, const Action& action) {
  auto transaction = desk.store.transaction();
  if (!transaction) return refuse(desk, transaction.error());
  AdminAnswer answer = action.run(desk, request);
  if (!answer.good()) return answer;
  if (auto done = transaction->commit(); !done) return refuse(desk, done.error());
  return answer;
}

/// What an error object says.
std::string message_of(const AdminAnswer& answer) {
  const auto outer = read_object(answer.body);
  const auto inner = outer ? read_object(outer->front().value.raw()) : outer;
  return inner ? inner->front().value.text().value_or(answer.body) : answer.body;
}

}  // namespace

int keys_command(const Options& options, const KeysArguments& arguments) {
  auto store = open_store(options.store.database_url, Holding::beside);
  if (!store) return fail(store.error().message, exit_failed);
  const Registry none({}, "");
  const Log log(LogLevel::error, LogFormat::text);
  const AdminDesk desk{.store = **store, .registry = none, .log = log};
  const AdminRequest request{.ids = {arguments.id},
                             .body = body_of(arguments),
                             .who = fmt::format("command line, user {}", ::getuid())};
  for (const Action& action : actions) {
    if (action.what != arguments.what) continue;
    const AdminAnswer answer = run(desk, request, action);
    if (!answer.good())
      return fail(message_of(answer), answer.status == 400 ? exit_wrong_arguments : exit_failed);
    if (!answer.body.empty()) fmt::print("{}\n", answer.body);
    return 0;
  }
  return fail(fmt::format("keys: there is no \"{}\"", arguments.what), exit_wrong_arguments);
}

}  // namespace gateway

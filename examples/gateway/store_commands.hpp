/// The commands on the store as the command line has them: `migrate` and `keys`. For main() alone,
/// as only that file is to be slowed by the parser of arguments.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>

#include "keys_command.hpp"
#include "load.hpp"
#include "migrate_command.hpp"

namespace gateway {

class StoreCommands {
 public:
  StoreCommands(CLI::App& app, Flags& flags) {
    migrate_ = app.add_subcommand("migrate", "Bring the store's schema up to date, or back");
    migrate_->require_subcommand(1);
    migrate_->footer(
        "Examples:\n"
        "  llmroute-gateway migrate status\n"
        "  llmroute-gateway migrate up --config gateway.yaml");
    add(*migrate_, "up", "Do all that is to be done", "up --config gateway.yaml", flags);
    add(*migrate_, "down", "Undo the last step, with all that its tables hold",
        "down --database-url sqlite:gateway.db", flags);
    add(*migrate_, "status", "Say where the store stands", "status", flags);
    keys_ = app.add_subcommand("keys", "Make, list and revoke the keys of callers");
    keys_->require_subcommand(1);
    keys_->footer(
        "Examples:\n"
        "  llmroute-gateway keys create --name team-a --rpm 60\n"
        "  llmroute-gateway keys revoke KEY-ID");
    CLI::App& create = add(*keys_, "create", "Make a key; it is shown this once",
                           "create --name team-a --model llama --rpm 60", flags);
    create.add_option("--name", arguments_.name, "What it is for")->required();
    create.add_option("--model", arguments_.allowed_models, "May use this one; several: repeat it");
    create.add_option("--rpm", arguments_.rpm_limit, "Requests a minute; 0: no limit");
    create.add_option("--tpm", arguments_.tpm_limit, "Tokens a minute; 0: no limit");
    create.add_option("--expires-at", arguments_.expires_at, "Such as 2030-01-31T12:00:00Z");
    add(*keys_, "list", "All keys, without what they are", "list", flags);
    CLI::App& revoke =
        add(*keys_, "revoke", "Make a key useless; its row stays", "revoke KEY-ID", flags);
    revoke.add_option("id", arguments_.id, "As list shows it")->required();
  }

  /// The exit code, if one of them was asked for.
  std::optional<int> run(Flags flags) {
    if (!migrate_->parsed() && !keys_->parsed()) return std::nullopt;
    flags.without_nodes = true;
    auto options = load(flags, process_environment());
    if (!options) {
      fmt::print(stderr, "llmroute-gateway: {}\n", options.error().message);
      return 2;
    }
    if (url_) options->store.database_url = *url_;
    if (migrate_->parsed()) return migrate_command(*options, chosen(*migrate_));
    arguments_.what = chosen(*keys_);
    return keys_command(*options, arguments_);
  }

 private:
  CLI::App& add(CLI::App& command, const char* name, const char* help, const char* example,
                Flags& flags) {
    CLI::App* added = command.add_subcommand(name, help);
    added->footer("Examples:\n  llmroute-gateway " + command.get_name() + " " + example);
    added->add_option("--config", flags.config, "Where store.database_url is read from")
        ->type_name("FILE");
    added->add_option("--database-url", url_, "The store, whatever the configuration says");
    return *added;
  }

  static std::string chosen(const CLI::App& command) {
    return command.get_subcommands().front()->get_name();
  }

  CLI::App* migrate_ = nullptr;
  CLI::App* keys_ = nullptr;
  KeysArguments arguments_{};
  std::optional<std::string> url_{};
};

}  // namespace gateway

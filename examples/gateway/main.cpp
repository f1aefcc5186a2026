/// llmroute-gateway: an OpenAI-compatible gateway in front of several nodes, built on llmroute's
/// public headers alone. This file knows the command line; each command has a file of its own.
///
/// Exit codes: 0 ended as asked, 1 could not run, 2 wrong arguments or configuration.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <llmroute/version.hpp>

#include "check_config.hpp"
#include "completions.hpp"
#include "demo.hpp"
#include "init.hpp"
#include "named_files.hpp"
#include "serve.hpp"
#include "store_commands.hpp"

namespace {

constexpr int bad_usage = 2;

/// What the command that was given does; its exit code.
using Action = std::function<int()>;

int run(const gateway::Flags& flags) {
  const gateway::Environment environment = gateway::process_environment();
  auto options = gateway::load_to_run(flags, environment);
  if (options) return gateway::serve(std::move(*options), flags, environment);
  fmt::print(stderr, "llmroute-gateway: {}\n", options.error().message);
  return bad_usage;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* help, const char* examples) {
  CLI::App* command = app.add_subcommand(name, help);
  command->footer(fmt::format("Examples:\n{}", examples));
  return command;
}

/// The file, by a flag or without.
void add_config(CLI::App& command, gateway::Flags& flags) {
  CLI::Option* flag = command.add_option(
      "--config", flags.config,
      "Configuration; else CONFIG_PATH, llmroute.toml, servers.toml, gateway.yaml, gateway/.env, "
      ".env");
  flag->type_name("FILE");
  command.add_option("file", flags.config, "The same without a flag")
      ->type_name("FILE")
      ->excludes(flag);
}

void add_serving(CLI::App& app, const char* name, gateway::Flags& flags, Action& action) {
  CLI::App* command = add_command(app, name, "Serve until SIGTERM",
                                  "  llmroute-gateway run\n"
                                  "  llmroute-gateway run gateway.yaml --port 8080\n"
                                  "  llmroute-gateway serve --config llmroute.toml --reload\n"
                                  "  VLLM_NODES=http://gpu-1:8000 llmroute-gateway run");
  add_config(*command, flags);
  command->add_option("--host", flags.host, "Address to listen on")->type_name("HOST");
  command->add_option("--port", flags.port, "Port to listen on; 0: one that is free")
      ->type_name("PORT");
  command->add_flag("--console", flags.console, "Log to standard error whatever the file says");
  command->add_flag("--reload", flags.reload, "Look every second whether the file has changed");
  command->callback([&] { action = [&] { return run(flags); }; });
}

void add_check(CLI::App& app, gateway::Flags& flags, Action& action) {
  CLI::App* command =
      add_command(app, "check-config", "Say what was understood, or everything that is wrong",
                  "  llmroute-gateway check-config\n"
                  "  llmroute-gateway check-config --config servers.toml");
  add_config(*command, flags);
  command->callback([&] {
    action = [&] { return gateway::check_config(flags, gateway::process_environment()); };
  });
}

void add_init(CLI::App& app, Action& action) {
  struct Arguments {
    std::string file = "llmroute.toml";
    bool force = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(app, "init", "Write a configuration to begin with",
                                  "  llmroute-gateway init\n"
                                  "  llmroute-gateway init --force my.toml");
  command->add_option("file", arguments->file, "Where to")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--force", arguments->force, "Write over a file that is there");
  command->callback([&action, arguments] {
    action = [arguments] { return gateway::init(arguments->file, arguments->force); };
  });
}

void add_demo(CLI::App& app, Action& action) {
  CLI::App* command =
      add_command(app, "demo", "Route twenty requests over three mock providers, and show how",
                  "  llmroute-gateway demo");
  command->callback([&] { action = gateway::demo; });
}

gateway::FlagHelp help_of(const CLI::Option& option) {
  using gateway::Takes;
  const bool file = option.get_type_name() == "FILE";
  const Takes value = file ? Takes::file : Takes::text;
  return {.name = "--" + option.get_lnames().front(),
          .help = option.get_description(),
          .takes = option.get_items_expected_max() == 0 ? Takes::nothing : value};
}

/// What the parser knows, for scripts that complete.
gateway::CommandHelp help_of(CLI::App& app) {
  gateway::CommandHelp help{.name = app.get_name(), .help = app.get_description()};
  for (CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      help.flags.push_back(help_of(*option));
    } else if (option->get_type_name() == "FILE") {
      help.takes_file = true;
    } else if (option->get_name() == "shell") {
      help.words = {"bash", "zsh", "fish"};
    }
  }
  for (CLI::App* command : app.get_subcommands({})) help.commands.push_back(help_of(*command));
  return help;
}

void add_completions(CLI::App& app, Action& action) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "completions", "Print a script that completes command lines",
                                  "  source <(llmroute-gateway completions bash)\n"
                                  "  llmroute-gateway completions fish | source");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &action, shell] {
    action = [&app, shell] {
      fmt::print("{}", gateway::completion_script(*shell, help_of(app)).value_or(""));
      return 0;
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  gateway::Flags flags;
  Action action;
  CLI::App app("An OpenAI-compatible gateway in front of several nodes.", "llmroute-gateway");
  app.set_version_flag("--version", fmt::format("llmroute-gateway {}", llmroute::version()));
  app.footer(
      "Examples:\n"
      "  llmroute-gateway init\n"
      "  llmroute-gateway run --config llmroute.toml\n"
      "Each command has its own: llmroute-gateway run --help");
  app.require_subcommand(1);
  add_serving(app, "run", flags, action);
  add_serving(app, "serve", flags, action);
  add_check(app, flags, action);
  add_init(app, action);
  add_demo(app, action);
  add_completions(app, action);
  gateway::StoreCommands store(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : bad_usage;
  }
  if (const auto code = store.run(flags)) return *code;
  return action();
}

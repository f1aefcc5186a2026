/// llmroute-gateway: an OpenAI-compatible gateway in front of several nodes, built on llmroute's
/// public headers alone. This file reads the command line; serve.hpp does the rest.
///
///     llmroute-gateway run [--config FILE] [--host HOST] [--port PORT] [--console]
///     llmroute-gateway check-config [--config FILE]
///
/// Exit codes: 0 ended as asked, 1 could not run, 2 wrong arguments or configuration.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <llmroute/version.hpp>

#include "load.hpp"
#include "serve.hpp"

namespace {

constexpr int bad_usage = 2;

int refuse(const llmroute::Error& error) {
  fmt::print(stderr, "llmroute-gateway: {}\n", error.message);
  return bad_usage;
}

int run(const gateway::Flags& flags) {
  auto options = gateway::load(flags, gateway::process_environment());
  if (!options) return refuse(options.error());
  return gateway::serve(std::move(*options));
}

int check(const gateway::Flags& flags) {
  const auto options = gateway::load(flags, gateway::process_environment());
  if (!options) return refuse(options.error());
  fmt::print("{}: good: {} nodes, strategy {}\n",
             options->source.empty() ? "environment" : options->source,
             options->router.nodes.size(), options->router.router.strategy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  gateway::Flags flags;
  CLI::App app("An OpenAI-compatible gateway in front of several nodes.", "llmroute-gateway");
  app.set_version_flag("--version", fmt::format("llmroute-gateway {}", llmroute::version()));
  app.require_subcommand(1);
  const auto with_config = [&](const char* name, const char* help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("--config", flags.config,
                        "TOML or .env file; else CONFIG_PATH, llmroute.toml, .env");
    return command;
  };
  const CLI::App* check_config =
      with_config("check-config", "Say whether the configuration is good");
  for (const char* name : {"run", "serve"}) {
    CLI::App* command = with_config(name, "Serve until SIGTERM");
    command->add_option("--host", flags.host, "Address to listen on");
    command->add_option("--port", flags.port, "Port to listen on; 0: one that is free");
    command->add_flag("--console", flags.console, "Log to standard error whatever the file says");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : bad_usage;
  }
  return check_config->parsed() ? check(flags) : run(flags);
}
